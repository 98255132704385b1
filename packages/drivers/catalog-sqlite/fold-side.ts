import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CatalogError, type CatalogFold, type FoldableLeaf } from '@granary/contract/ports';
import { type CatalogRow, type PurlMemo, type SkippedLeaves, toRow } from '@granary/core/catalog';
import { type Sha256, sha256 } from '@granary/core/model';
import { digestBytes, digestText } from './digest-column.ts';
import { dumpAll } from './dump-all.ts';
import type { Revisions } from './revisions.ts';

interface Statements {
  readonly ledger: StatementSync;
  readonly begin: StatementSync;
  readonly advance: StatementSync;
  readonly holds: StatementSync;
  readonly close: StatementSync;
  readonly insert: StatementSync;
  readonly skip: StatementSync;
}

export function foldSide(database: DatabaseSync, revisions: Revisions): CatalogFold {
  const statements = prepareStatements(database);
  const critical = database.prepare("SELECT DISTINCT kind FROM skipped WHERE type = 'unknown-critical' ORDER BY kind");
  const memo: PurlMemo = new Map();
  const ledgerOf = (origin: string): Ledger => readLedger(statements.ledger, origin);

  function foldAll(origin: string, leaves: readonly FoldableLeaf[]): void {
    const { size } = ledgerOf(origin);
    refuseOutOfOrder(origin, size, leaves);
    const last = leaves.at(-1);
    if (last === undefined) return;
    statements.begin.run(origin);
    const { ledger } = ledgerOf(origin);
    for (const leaf of leaves) foldLeaf(statements, { origin, ledger, leaf, memo });
    statements.advance.run(size + leaves.length, digestBytes(sha256(last.bytes)), ledger);
  }

  return {
    size: (origin) => ledgerOf(origin).size,
    lastLeaf: (origin) => ledgerOf(origin).lastLeaf,
    fold(origin, leaves) {
      inTransaction(database, () => foldAll(origin, leaves));
      revisions.forget();
    },
    unknownCritical: () => critical.all().map(({ kind }) => String(kind)),
    dump: () => dumpAll(database),
  };
}

function prepareStatements(database: DatabaseSync): Statements {
  return {
    ledger: database.prepare('SELECT ledger, size, last_leaf FROM ledgers WHERE origin = ?'),
    begin: database.prepare('INSERT INTO ledgers (origin, size) VALUES (?, 0) ON CONFLICT DO NOTHING'),
    advance: database.prepare('UPDATE ledgers SET size = ?, last_leaf = ? WHERE ledger = ?'),
    holds: database.prepare('SELECT 1 FROM facts INDEXED BY by_key WHERE key = ? AND ledger = ?'),
    close: database.prepare(
      'UPDATE facts INDEXED BY open_states SET to_index = ? WHERE subject = ? AND kind = ? AND ledger = ? AND is_state = 1 AND to_index IS NULL',
    ),
    insert: database.prepare('INSERT INTO facts VALUES (?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key, ledger) DO NOTHING'),
    skip: database.prepare('INSERT INTO skipped VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1'),
  };
}

interface LeafOf {
  readonly origin: string;
  readonly ledger: number;
  readonly leaf: FoldableLeaf;
  readonly memo: PurlMemo;
}

function foldLeaf(statements: Statements, { origin, ledger, leaf, memo }: LeafOf): void {
  const skip = (type: SkippedLeaves['type'], kind: string): unknown => statements.skip.run(ledger, type, kind);
  const change = toRow(leaf.bytes, memo);
  switch (change.type) {
    case 'row':
      if (!insertRow(statements, { ledger, leaf, row: change.row })) skip('duplicate', change.row.kind);
      break;
    case 'unknown-optional':
    case 'unknown-critical':
      skip(change.type, change.kind);
      break;
    case 'foreign':
      skip('foreign', '');
      break;
    case 'malformed':
      throw new CatalogError('malformed-leaf', `fold ${origin}: leaf ${leaf.index}: ${change.why}`);
  }
}

/** False when the ledger holds the key already. */
function insertRow(statements: Statements, { ledger, leaf, row }: { readonly ledger: number; readonly leaf: FoldableLeaf; readonly row: CatalogRow }): boolean {
  const { kind, subject, validity, digest } = row;
  const key = digestBytes(row.key);
  const isState = validity === 'state';
  if (isState) {
    if (statements.holds.get(key, ledger) !== undefined) return false;
    statements.close.run(leaf.index, subject, kind, ledger);
  }
  const artifact = digest === undefined ? null : digestBytes(digest);
  const { package: pack = null, release = null } = row;
  const { changes } = statements.insert.run(ledger, leaf.index, key, kind, subject, Date.parse(row.at), Number(isState), pack, release, artifact, leaf.bytes);
  return changes === 1;
}

interface Ledger {
  readonly ledger: number;
  readonly size: number;
  readonly lastLeaf: Sha256 | undefined;
}

function readLedger(statement: StatementSync, origin: string): Ledger {
  const row = statement.get(origin);
  return { ledger: Number(row?.['ledger'] ?? 0), size: Number(row?.['size'] ?? 0), lastLeaf: digestText(row?.['last_leaf']) };
}

function refuseOutOfOrder(origin: string, size: number, leaves: readonly FoldableLeaf[]): void {
  for (const [offset, { index }] of leaves.entries()) {
    if (index !== size + offset) throw new CatalogError('out-of-order', `fold ${origin}: leaf ${index}, expected ${size + offset}`);
  }
}

function inTransaction(database: DatabaseSync, step: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    step();
    database.exec('COMMIT');
  } catch (error) {
    // SQLite itself rolls back after some errors, a full disk among them.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
