import { measureBlob } from '@granary/contract/blob';
import { type BlobExpectation, type BlobStore, type ByteRange, type StoredBlob, StoreError } from '@granary/contract/ports';
import { blobKey } from '@granary/core/layout';
import { retrying } from './retrying.ts';
import { S3Fault } from './s3-fault.ts';
import { getWhole, putUnlessTaken, type S3Parts } from './s3-objects.ts';
import { type Spool, spoolOfBytes, spoolToDisk } from './spool.ts';
import { steadyObject } from './steady-object.ts';
import { onS3 } from './to-store-error.ts';
import { uploadInParts } from './upload-in-parts.ts';

export interface S3BlobParts extends S3Parts {
  readonly partSizeBytes: number;
  readonly scratchDir: string;
}

export function s3Blobs(parts: S3BlobParts): BlobStore {
  const { service } = parts;
  return {
    async put(source, expect) {
      const { spool, blob } = await taken(parts, source, expect);
      await using _ = spool;
      await onS3(`put blob ${blob.sha256}`, service, () => upload(parts, spool, blob));
      return blob;
    },
    async open(digest, range) {
      const key = blobKey(digest);
      const what = `read blob ${digest}`;
      const found = await onS3(what, service, () => find(parts, key));
      if (found === undefined) return undefined;
      const wanted: ByteRange = { start: range?.start ?? 0, end: Math.min(range?.end ?? found.sizeBytes, found.sizeBytes) };
      return { sizeBytes: found.sizeBytes, stream: steadyObject(parts, { key, what, etag: found.etag, ...wanted }) };
    },
    read: (digest, maxBytes) => onS3(`read blob ${digest}`, service, () => getWhole(parts, blobKey(digest), maxBytes)),
    size: async (digest) => (await onS3(`look for blob ${digest}`, service, () => find(parts, blobKey(digest))))?.sizeBytes,
  };
}

/** All bytes, with every digest checked: nothing is sent before. */
async function taken(
  { scratchDir }: S3BlobParts,
  source: AsyncIterable<Uint8Array> | Uint8Array,
  expect: BlobExpectation,
): Promise<{ readonly spool: Spool; readonly blob: StoredBlob }> {
  const measured = measureBlob(expect);
  if (source instanceof Uint8Array) {
    measured.update(source);
    return { spool: spoolOfBytes(source), blob: measured.confirm() };
  }
  const spool = await spoolToDisk(scratchDir, source, measured.update);
  try {
    return { spool, blob: measured.confirm() };
  } catch (error) {
    await spool[Symbol.asyncDispose]();
    throw error;
  }
}

async function upload(parts: S3BlobParts, spool: Spool, blob: StoredBlob): Promise<void> {
  const key = blobKey(blob.sha256);
  if (await holds(parts, blob)) return;
  if (blob.sizeBytes > parts.partSizeBytes) await uploadInParts(parts, { key, spool, sizeBytes: blob.sizeBytes });
  else if (await parts.limit(async () => putUnlessTaken(parts, key, await spool.slice(0, blob.sizeBytes, new Uint8Array(blob.sizeBytes))))) return;
  // Put together by the service, or written by somebody else.
  if (!(await holds(parts, blob))) throw new S3Fault('transient', 'what was just written is not there');
}

/** Its name says what it must hold; that it still does is the scrub's question, that it has the right length is cheap to ask here. */
async function holds(parts: S3Parts, { sha256, sizeBytes }: StoredBlob): Promise<boolean> {
  const found = await find(parts, blobKey(sha256));
  if (found === undefined || found.sizeBytes === sizeBytes) return found !== undefined;
  const damaged = `${found.sizeBytes} bytes are stored under its name, it has ${sizeBytes}: the stored object is damaged`;
  throw new StoreError('key-taken', `put blob ${sha256}: ${damaged}`);
}

function find({ bucket, patience }: S3Parts, key: string) {
  return retrying(patience, () => bucket.find(key));
}
