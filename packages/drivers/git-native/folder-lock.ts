import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RepositoryError } from '@granary/contract/ports';

/** https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;

/** Makes this process the only one that works there. Node has no flock: an exclusive transaction of SQLite is a lock that the kernel drops when its holder dies. Closing twice is closing once. */
export function lockFolder(folder: string): { close(): void } {
  const database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    const isBusy = cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number' && (cause.errcode & 0xff) === SQLITE_BUSY;
    const why = isBusy ? 'another process works there: give this one a folder of its own' : String(cause);
    throw new RepositoryError('unavailable', `open repositories in ${folder}: ${why}`, { cause });
  }
  return {
    close() {
      if (database.isOpen) database.close();
    },
  };
}
