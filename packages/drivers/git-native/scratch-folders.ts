import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders for work that may be killed at any moment: all on one file system with the repositories, gone when the work is over, or at the next start. */
export interface ScratchFolders {
  use<T>(work: (folder: string) => Promise<T>): Promise<T>;
  /** Takes a folder away at once, and its bytes soon after. */
  discard(path: string): Promise<void>;
}

export async function openScratchFolders(root: string): Promise<ScratchFolders> {
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  const fresh = (): string => join(root, randomBytes(12).toString('hex'));
  return {
    async use(work) {
      const folder = fresh();
      await mkdir(folder);
      try {
        return await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async discard(path) {
      const gone = fresh();
      await rename(path, gone);
      await rm(gone, { recursive: true, force: true });
    },
  };
}
