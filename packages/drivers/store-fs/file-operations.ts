import { closeSync, fsync, open, openSync, writeFile } from 'node:fs';
import { link, mkdir, rename, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Everything that the store does to a disk, so that a test can make any single step fail. Errors are those of node:fs. */
export interface FileOperations {
  /** Makes a new file; `EEXIST` when there is one. */
  createFile(path: string): Promise<WritableFile>;
  /** A second name for the same file; `EEXIST` instead of overwriting. */
  link(from: string, to: string): Promise<void>;
  /** Overwrites atomically. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** One level; `EEXIST` when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
}

export interface WritableFile {
  /** All of the bytes, after those already written. */
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

// By descriptors. What the kernel has in memory isn't waited for, since a step of its own costs ten times as much: files whose bytes are on the disk are closed at once, and so is
// the folder opened that a name was just put into.
const [openFile, writeAll, syncFile] = [promisify(open), promisify(writeFile), promisify(fsync)];

export const nodeFileOperations: FileOperations = {
  async createFile(path) {
    const file = await openFile(path, 'wx', 0o644);
    return {
      write: (bytes) => writeAll(file, bytes),
      sync: () => syncFile(file),
      close: async () => closeSync(file),
    };
  },
  link,
  rename,
  remove: unlink,
  makeFolder: (path) => mkdir(path),
  async syncFolder(path) {
    const folder = openSync(path, 'r');
    try {
      await syncFile(folder);
    } finally {
      closeSync(folder);
    }
  },
};
