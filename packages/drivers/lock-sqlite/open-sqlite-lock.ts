import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { LockBackend } from '@granary/contract/ports';
import { LockError } from './lock-error.ts';

export interface SqliteLockOptions {
  /** The database file, on a local disk: SQLite's locks do not hold on network file systems. Not in the bucket, not under `derived/`. */
  readonly file: string;
  /** How long to wait for another process that is swapping; a swap takes milliseconds. */
  readonly busyTimeoutMs?: number;
}
export interface SqliteLock extends LockBackend, Disposable {
  close(): void;
}

/** Opens or makes the file. Throws LockError. */
export function openSqliteLock({ file, busyTimeoutMs = 10_000 }: SqliteLockOptions): SqliteLock {
  return onDatabase(file, 'open', () => {
    mkdirSync(dirname(file), { recursive: true });
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    try {
      // A rollback journal whose removal is synced with its folder: a swap that was acknowledged survives the loss of power.
      database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;');
      database.exec('CREATE TABLE IF NOT EXISTS heads (origin TEXT PRIMARY KEY, head BLOB NOT NULL) STRICT, WITHOUT ROWID');
      return lockOn(database, file);
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function lockOn(database: DatabaseSync, file: string): SqliteLock {
  const select = database.prepare('SELECT head FROM heads WHERE origin = ?');
  const upsert = database.prepare('INSERT INTO heads (origin, head) VALUES (?, ?) ON CONFLICT (origin) DO UPDATE SET head = excluded.head');
  const close = (): void => {
    if (database.isOpen) database.close();
  };
  return {
    async load(origin) {
      return onDatabase(file, `load ${origin}`, () => headOf(select, origin));
    },
    async swap(origin, expected, next) {
      return onDatabase(file, `swap ${origin}`, () => {
        // IMMEDIATE takes the write lock before it reads: nobody can move the head between our look and our write.
        database.exec('BEGIN IMMEDIATE');
        try {
          const swapped = same(headOf(select, origin), expected);
          if (swapped) upsert.run(origin, next);
          database.exec(swapped ? 'COMMIT' : 'ROLLBACK');
          return swapped;
        } finally {
          if (database.isTransaction) database.exec('ROLLBACK');
        }
      });
    },
    close,
    [Symbol.dispose]: close,
  };
}

function headOf(select: StatementSync, origin: string): Uint8Array | undefined {
  const head = select.get(origin)?.['head'];
  return head instanceof Uint8Array ? head : undefined;
}

function same(stored: Uint8Array | undefined, expected: Uint8Array | undefined): boolean {
  if (stored === undefined || expected === undefined) return stored === expected;
  return Buffer.compare(stored, expected) === 0;
}

function onDatabase<T>(file: string, what: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw toLockError(file, what, cause);
  }
}

// https://sqlite.org/rescode.html
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_FULL = 13;

function toLockError(file: string, what: string, cause: unknown): LockError {
  const primary = cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number' ? cause.errcode & 0xff : undefined;
  switch (primary) {
    case SQLITE_BUSY:
      return new LockError('busy', `ledger lock ${file}: ${what}: another process holds it; stop that process, or wait for it`, { cause });
    case SQLITE_READONLY:
      return new LockError('read-only', `ledger lock ${file}: ${what}: cannot be written; give this user the right to write there`, { cause });
    case SQLITE_FULL:
      return new LockError('disk-full', `ledger lock ${file}: ${what}: the disk is full; free some space and run again`, { cause });
    default:
      return new LockError('unusable', `ledger lock ${file}: ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
