import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { measureBlob } from '@granary/contract/blob';
import type { BlobStore } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';

/** Blobs in a folder, whole or absent: a store that outlives the process, for tests that kill it. */
export async function folderBlobs(folder: string): Promise<BlobStore> {
  await mkdir(folder, { recursive: true });
  const pathOf = (digest: Sha256): string => join(folder, digest);
  const size = (digest: Sha256): Promise<number | undefined> =>
    stat(pathOf(digest)).then(
      (found) => found.size,
      () => undefined,
    );
  return {
    size,
    async put(source, expect) {
      const unfinished = join(folder, randomBytes(8).toString('hex'));
      const file = await open(unfinished, 'w');
      const measured = measureBlob(expect);
      for await (const chunk of source instanceof Uint8Array ? [source] : source) {
        measured.update(chunk);
        await file.write(chunk);
      }
      await file.close();
      const stored = measured.confirm();
      await rename(unfinished, pathOf(stored.sha256));
      return stored;
    },
    async open(digest) {
      const sizeBytes = await size(digest);
      return sizeBytes === undefined ? undefined : { sizeBytes, stream: createReadStream(pathOf(digest)) };
    },
    read: (digest) => readFile(pathOf(digest)).catch(() => undefined),
  };
}
