import { link, mkdir, open, rename, unlink } from 'node:fs/promises';

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

export const nodeFileOperations: FileOperations = {
  async createFile(path) {
    const handle = await open(path, 'wx', 0o644);
    return {
      write: (bytes) => handle.writeFile(bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  link,
  rename,
  remove: unlink,
  makeFolder: (path) => mkdir(path),
  async syncFolder(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
