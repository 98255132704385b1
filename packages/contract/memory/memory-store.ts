import { createHash } from 'node:crypto';
import { blobKey, isMutable, type ObjectKey } from '@granary/core/layout';
import { type ByteDigests, type Sha256, toSha256 } from '@granary/core/model';
import {
  type BlobExpectation,
  type BlobStore,
  type ByteRange,
  type MutableObjects,
  type ObjectStore,
  type Store,
  type StoredBlob,
  StoreError,
} from '../ports/index.ts';

/** A whole store in memory, as strict as a real one: for tests, never for an archive. */
export function memoryStore(): Store {
  const objects = new Map<ObjectKey, Uint8Array>();
  return { objects: writeOnceObjects(objects), mutable: mutableObjects(objects), blobs: blobObjects(objects) };
}

function writeOnceObjects(objects: Map<ObjectKey, Uint8Array>): ObjectStore {
  return {
    async putOnce(key, bytes) {
      const stored = objects.get(key);
      if (stored !== undefined && !equal(stored, bytes)) throw new StoreError('key-taken', `put ${key}: other bytes already stored`);
      if (stored === undefined) objects.set(key, bytes.slice());
    },
    async get(key, maxBytes) {
      return bounded(key, objects.get(key), maxBytes);
    },
    async *list(prefix) {
      // A snapshot: what is written or removed while somebody lists may or may not be seen.
      yield* [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
  };
}

function mutableObjects(objects: Map<ObjectKey, Uint8Array>): MutableObjects {
  return {
    async replace(key, bytes) {
      refuseImmutable('replace', key);
      objects.set(key, bytes.slice());
    },
    async remove(key) {
      refuseImmutable('remove', key);
      objects.delete(key);
    },
  };
}

function blobObjects(objects: Map<ObjectKey, Uint8Array>): BlobStore {
  return {
    async put(source, expect) {
      const bytes = await collect(source, expect.maxBytes);
      const stored = confirm(bytes, expect);
      objects.set(blobKey(stored.sha256), bytes);
      return stored;
    },
    async open(digest, range) {
      const bytes = objects.get(blobKey(digest));
      return bytes && { sizeBytes: bytes.length, stream: chunks(bytes, range) };
    },
    async read(digest, maxBytes) {
      return bounded(blobKey(digest), objects.get(blobKey(digest)), maxBytes);
    },
    async size(digest) {
      return objects.get(blobKey(digest))?.length;
    },
  };
}

function confirm(bytes: Uint8Array, { digests = {}, sizeBytes }: BlobExpectation): StoredBlob {
  if (sizeBytes !== undefined && bytes.length !== sizeBytes) {
    throw new StoreError('digest-mismatch', `put blob: ${bytes.length} bytes, expected ${sizeBytes}`);
  }
  for (const [algorithm, expected] of digestEntries(digests)) {
    const actual = createHash(algorithm).update(bytes).digest('hex');
    if (actual !== expected) throw new StoreError('digest-mismatch', `put blob: ${algorithm} is ${actual}, expected ${expected}`);
  }
  return { sha256: digestOf(bytes), sizeBytes: bytes.length };
}

function digestEntries(digests: ByteDigests): readonly (readonly [string, string])[] {
  return Object.entries(digests).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

function digestOf(bytes: Uint8Array): Sha256 {
  return toSha256(createHash('sha256').update(bytes).digest('hex'));
}

async function collect(source: AsyncIterable<Uint8Array> | Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of source instanceof Uint8Array ? [source] : source) {
    length += part.length;
    if (length > maxBytes) throw new StoreError('too-large', `put blob: more than ${maxBytes} bytes`);
    parts.push(part.slice());
  }
  return new Uint8Array(Buffer.concat(parts));
}

async function* chunks(bytes: Uint8Array, range: ByteRange = { start: 0, end: bytes.length }): AsyncIterable<Uint8Array> {
  const end = Math.min(range.end, bytes.length);
  for (let at = range.start; at < end; at += 65_536) yield bytes.slice(at, Math.min(at + 65_536, end));
}

function bounded(key: string, bytes: Uint8Array | undefined, maxBytes: number): Uint8Array | undefined {
  if (bytes !== undefined && bytes.length > maxBytes) throw new StoreError('too-large', `get ${key}: ${bytes.length} bytes, at most ${maxBytes} wanted`);
  return bytes?.slice();
}

function refuseImmutable(verb: string, key: ObjectKey): void {
  if (!isMutable(key)) throw new StoreError('immutable', `${verb} ${key}: written once, never changed`);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
