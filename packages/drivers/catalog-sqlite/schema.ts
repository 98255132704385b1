import { rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { CatalogError } from '@granary/contract/ports';
import { FOLD_VERSION } from '@granary/core/catalog';

/** `fold` makes and changes the file, one process at a time; `read` never does, and any number may. */
export type CatalogMode = 'fold' | 'read';

/** Marks the file as ours: `GRCA`. */
const APPLICATION_ID = 0x47524341;
/** Readers never wait for a writer in WAL mode; two writers wait for each other this long. */
const BUSY_TIMEOUT_MS = 10_000;

// Indexes are as small as they can be: a fold spends half of its time in them. Facts of one moment are put in order when they are read.
// A row stands from the entry that made it to the entry that superseded it; nothing else of it ever changes.
const TABLES = `
  CREATE TABLE ledgers (ledger INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, last_leaf BLOB) STRICT;
  CREATE TABLE facts (
    ledger INTEGER NOT NULL, from_index INTEGER NOT NULL, to_index INTEGER,
    key BLOB NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, at_ms INTEGER NOT NULL, is_state INTEGER NOT NULL,
    package TEXT, release TEXT, digest BLOB, leaf BLOB NOT NULL
  ) STRICT;
  CREATE TABLE skipped (ledger INTEGER, type TEXT, kind TEXT, count INTEGER NOT NULL, PRIMARY KEY (ledger, type, kind)) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX by_key ON facts (key, ledger);
  CREATE UNIQUE INDEX open_states ON facts (subject, kind, ledger) WHERE is_state = 1 AND to_index IS NULL;
  CREATE INDEX by_subject ON facts (subject, kind, at_ms);
  CREATE INDEX by_kind ON facts (kind, at_ms);
  CREATE INDEX by_package ON facts (package, kind, at_ms) WHERE package IS NOT NULL;
  CREATE INDEX by_digest ON facts (digest, kind) WHERE digest IS NOT NULL;
`;

/** Throws CatalogError `unusable` when the file is not a catalog of this fold version. */
export function openDatabase(file: string, mode: CatalogMode): DatabaseSync {
  const database = attempt(file, () => new DatabaseSync(file, { readOnly: mode === 'read', timeout: BUSY_TIMEOUT_MS }));
  try {
    attempt(file, () => prepare(database, file, mode));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Removes a catalog, to fold it again from zero. Succeeds when there is none. */
export async function deleteSqliteCatalog(file: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(file + suffix, { force: true });
}

/** Runs a step on the database; what SQLite throws becomes CatalogError `unusable`. */
export function attempt<T>(file: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof CatalogError) throw error;
    throw new CatalogError('unusable', `catalog ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function prepare(database: DatabaseSync, file: string, mode: CatalogMode): void {
  const applicationId = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  if (applicationId === APPLICATION_ID && version !== FOLD_VERSION) {
    throw new CatalogError('unusable', `catalog ${file}: folded by version ${version}, this is ${FOLD_VERSION}: delete it and fold the ledgers again`);
  }
  const isNew = applicationId === 0 && version === 0 && pragma(database, 'schema_version') === 0;
  if (applicationId !== APPLICATION_ID && !isNew) throw new CatalogError('unusable', `catalog ${file}: not a catalog`);
  if (mode === 'read') {
    if (isNew) throw new CatalogError('unusable', `catalog ${file}: nothing was folded yet`);
    return;
  }
  // Readers in other processes go on reading while we fold. A lost last commit is folded again: the ledger is the truth.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768;');
  if (isNew) database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FOLD_VERSION}; COMMIT;`);
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version' | 'schema_version'): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}
