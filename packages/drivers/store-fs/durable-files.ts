import { dirname, join } from 'node:path';
import { errnoOf, onDisk } from './disk-error.ts';
import { type DurableFolders, durableFolders } from './durable-folders.ts';
import type { FileOperations, WritableFile } from './file-operations.ts';
import { TEMP_FOLDER, tempName } from './temp-files.ts';

/** What is written, and where it goes once all of it is on the disk. */
export interface FilePlan<T> {
  /** For messages: `put pending/…`. */
  readonly what: string;
  /** Writes the bytes. What it throws passes through as it is, and nothing stays behind. */
  readonly fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<T>;
  /** The final path, which may depend on what was written. */
  readonly path: (filled: T) => string;
}

/** Files that appear under their name whole and durable, or not at all. Calls may overlap. */
export interface DurableFiles {
  /** `taken`: there is one of that name, which was left alone. */
  create<T>(plan: FilePlan<T>): Promise<{ readonly outcome: 'created' | 'taken'; readonly filled: T }>;
  /** Readers see the old bytes or the new. */
  replace<T>(plan: FilePlan<T>): Promise<void>;
  /** Makes durable what another writer may have placed without living to see it durable. */
  confirm(path: string, what: string): Promise<void>;
}

export function durableFiles(root: string, owner: string, operations: FileOperations): DurableFiles {
  const folders = durableFolders(root, operations);

  /**
   * File first, then its name, then the name's own durability: after a crash at any point a name never stands for less than all bytes. The folder that it is
   * for is made durable while the file is.
   */
  async function publish<T, R>(plan: FilePlan<T>, move: (from: string, to: string) => Promise<R>): Promise<{ readonly filled: T; readonly moved: R }> {
    const { what } = plan;
    const temp = join(root, TEMP_FOLDER, tempName(owner));
    // Gone already after a rename; what stays is swept at the next opening.
    const removeTemp = () => operations.remove(temp).catch(() => undefined);
    try {
      const file = await onDisk(what, root, () => inFolder(folders, temp, () => operations.createFile(temp)));
      const { filled, path } = await fillAndSync(file, plan, { root, folders });
      const moved = await onDisk(what, root, () => inFolder(folders, path, () => move(temp, path)));
      await onDisk(what, root, () => bothDone(folders.sync(dirname(path)), removeTemp()));
      return { filled, moved };
    } catch (error) {
      await removeTemp();
      throw error;
    }
  }

  async function linkUnlessTaken(from: string, to: string): Promise<'created' | 'taken'> {
    try {
      await operations.link(from, to);
      return 'created';
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return 'taken';
      throw error;
    }
  }

  return {
    async create(plan) {
      const { filled, moved } = await publish(plan, linkUnlessTaken);
      return { outcome: moved, filled };
    },
    async replace(plan) {
      await publish(plan, operations.rename);
    },
    async confirm(path, what) {
      await onDisk(what, root, () => inFolder(folders, path, () => folders.sync(dirname(path))));
    },
  };
}

interface Place {
  readonly root: string;
  readonly folders: DurableFolders;
}

async function fillAndSync<T>(file: WritableFile, plan: FilePlan<T>, { root, folders }: Place): Promise<{ readonly filled: T; readonly path: string }> {
  const { what, fill } = plan;
  try {
    const filled = await fill((bytes) => onDisk(what, root, () => file.write(bytes)));
    const path = plan.path(filled);
    await onDisk(what, root, () => bothDone(file.sync(), folders.ensure(dirname(path))));
    return { filled, path };
  } finally {
    // Nothing can be lost by a close after a successful fsync.
    await file.close().catch(() => undefined);
  }
}

/** Both are over when it rejects. */
async function bothDone(one: Promise<void>, other: Promise<void>): Promise<void> {
  const [first, second] = await Promise.allSettled([one, other]);
  for (const outcome of [first, second]) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Derived folders may be deleted by hand at any time: makes the folder again once. */
async function inFolder<T>(folders: DurableFolders, path: string, step: () => Promise<T>): Promise<T> {
  await folders.ensure(dirname(path));
  try {
    return await step();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    folders.forget();
    await folders.ensure(dirname(path));
    return await step();
  }
}
