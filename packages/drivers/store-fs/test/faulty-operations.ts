import type { StoreFault } from '@granary/contract/memory';
import { type FileOperations, nodeFileOperations, type WritableFile } from '../file-operations.ts';

/** node:fs, of which the n-th step reports an error of the disk: not done (`lost`) or done all the same (`kept`). */
export function faultyOperations({ step, effect }: StoreFault, code = 'EIO'): FileOperations & { fired(): boolean } {
  let steps = 0;

  async function faulty<T>(run: () => Promise<T>, release?: (done: T) => Promise<void>): Promise<T> {
    steps += 1;
    if (steps !== step) return run();
    if (effect === 'kept') {
      const done = await run();
      await release?.(done);
    }
    throw Object.assign(new Error(`${code}: fault at step ${step}: ${effect}`), { code });
  }

  const inner = nodeFileOperations;
  return {
    fired: () => steps >= step,
    createFile: (path) =>
      faulty(
        async () => faultyFile(await inner.createFile(path), faulty),
        (file) => file.close(),
      ),
    link: (from, to) => faulty(() => inner.link(from, to)),
    rename: (from, to) => faulty(() => inner.rename(from, to)),
    remove: (path) => faulty(() => inner.remove(path)),
    makeFolder: (path) => faulty(() => inner.makeFolder(path)),
    syncFolder: (path) => faulty(() => inner.syncFolder(path)),
  };
}

type Faulty = <T>(run: () => Promise<T>) => Promise<T>;

function faultyFile(file: WritableFile, faulty: Faulty): WritableFile {
  return {
    write: (bytes) => faulty(() => file.write(bytes)),
    sync: () => faulty(() => file.sync()),
    // A descriptor is gone after close(2), whatever it reports.
    close: async () => {
      await file.close();
      await faulty(async () => undefined);
    },
  };
}
