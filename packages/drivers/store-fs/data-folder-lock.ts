import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '@granary/contract/ports';
import { onDisk } from './disk-error.ts';

/** Held open, never read: closing any other handle of the file in this process would drop the lock (fcntl(2), POSIX record locks). */
const LOCK_FILE = '.lock';
/** Who holds it, for people. */
const HOLDER_FILE = '.lock-holder';

export interface DataFolderLock {
  /** Ends with the process too, however it ends. */
  release(): Promise<void>;
}

/**
 * Makes this process the only one that works in a data folder; readers need no lock. Throws StoreError `in-use` that names the
 * other process. Node has no flock: an exclusive transaction of SQLite is the lock that the kernel drops when its holder dies.
 */
export async function lockDataFolder(folder: string, { purpose }: { readonly purpose: string }): Promise<DataFolderLock & AsyncDisposable> {
  const root = resolve(folder);
  await onDisk('lock data folder', root, () => mkdir(root, { recursive: true }));
  const database = await takeLock(root);
  const release = async (): Promise<void> => {
    if (database.isOpen) database.close();
  };
  try {
    await onDisk('lock data folder', root, () => writeFile(join(root, HOLDER_FILE), `${process.pid} ${purpose}\n`));
  } catch (error) {
    await release();
    throw error;
  }
  return { release, [Symbol.asyncDispose]: release };
}

async function takeLock(root: string): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(root, LOCK_FILE), { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    throw await refusal(root, error);
  }
}

async function refusal(root: string, error: unknown): Promise<StoreError> {
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
  if (code === SQLITE_BUSY) {
    const holder = await readFile(join(root, HOLDER_FILE), 'utf8').catch(() => '');
    const [pid, ...purpose] = holder.trim().split(' ');
    const who = pid ? `process ${pid} (${purpose.join(' ')})` : 'another process';
    return new StoreError('in-use', `lock data folder: ${who} works in ${root}: stop it, or give this one a folder of its own with --data`, { cause: error });
  }
  if (code === SQLITE_READONLY || code === SQLITE_CANTOPEN) {
    return new StoreError('read-only', `lock data folder: ${root} cannot be written: mount it writable, or give this user the right to write there`, {
      cause: error,
    });
  }
  if (code === SQLITE_FULL)
    return new StoreError('disk-full', `lock data folder: the disk of ${root} is full: free some space and run again`, { cause: error });
  return new StoreError('unreachable', `lock data folder: ${root}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

// https://sqlite.org/rescode.html
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
