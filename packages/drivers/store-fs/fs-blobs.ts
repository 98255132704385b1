import { measureBlob } from '@granary/contract/blob';
import { type BlobExpectation, type BlobStore, type StoredBlob, StoreError } from '@granary/contract/ports';
import { blobKey, type ObjectKey } from '@granary/core/layout';
import type { Sha256 } from '@granary/core/model';
import { onDisk } from './disk-error.ts';
import type { DurableFiles } from './durable-files.ts';
import { fileSize, readRange, readWhole } from './read-file.ts';

export interface FsBlobs {
  readonly root: string;
  readonly files: DurableFiles;
  readonly pathOf: (key: ObjectKey) => string;
}

export function fsBlobs({ root, files, pathOf }: FsBlobs): BlobStore {
  const pathOfBlob = (digest: Sha256): string => pathOf(blobKey(digest));
  const size = (digest: Sha256): Promise<number | undefined> => onDisk(`look for blob ${digest}`, root, () => fileSize(pathOfBlob(digest)));

  async function put(source: AsyncIterable<Uint8Array> | Uint8Array, expect: BlobExpectation): Promise<StoredBlob> {
    const { outcome, filled } = await files.create({
      what: 'put blob',
      fill: (write) => fill(source, expect, write),
      path: (blob) => pathOfBlob(blob.sha256),
    });
    if (outcome === 'taken') await refuseDamaged(filled, await size(filled.sha256));
    return filled;
  }

  return {
    put,
    size,
    async open(digest, range) {
      const sizeBytes = await size(digest);
      if (sizeBytes === undefined) return undefined;
      const end = Math.min(range?.end ?? sizeBytes, sizeBytes);
      return { sizeBytes, stream: readRange(pathOfBlob(digest), `read blob ${digest}`, { start: range?.start ?? 0, end }) };
    },
    read: (digest, maxBytes) => onDisk(`read blob ${digest}`, root, () => readWhole(pathOfBlob(digest), `read blob ${digest}`, maxBytes)),
  };
}

async function fill(source: AsyncIterable<Uint8Array> | Uint8Array, expect: BlobExpectation, write: (bytes: Uint8Array) => Promise<void>): Promise<StoredBlob> {
  const measured = measureBlob(expect);
  for await (const bytes of source instanceof Uint8Array ? [source] : source) {
    measured.update(bytes);
    await write(bytes);
  }
  return measured.confirm();
}

/** Its name says what it must hold; that it still does is the scrub's question, that it has the right length is cheap to ask here. */
async function refuseDamaged({ sha256, sizeBytes }: StoredBlob, storedBytes: number | undefined): Promise<void> {
  if (storedBytes === sizeBytes) return;
  throw new StoreError('key-taken', `put blob ${sha256}: ${storedBytes} bytes are stored under its name, it has ${sizeBytes}: the stored file is damaged`);
}
