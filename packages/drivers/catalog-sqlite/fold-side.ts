import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CatalogError, type CatalogFold, type FoldableLeaf } from '@granary/contract/ports';
import { type CatalogRow, type PurlMemo, type SkippedLeaves, toRow } from '@granary/core/catalog';
import { parseSha256, type Sha256, sha256 } from '@granary/core/model';
import { dumpAll } from './dump-all.ts';
import type { Revisions } from './revisions.ts';

interface Statements {
  readonly ledger: StatementSync;
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

  return {
    size: (origin) => ledgerOf(origin).size,
    lastLeaf: (origin) => ledgerOf(origin).lastLeaf,
    fold(origin, leaves) {
      inTransaction(database, () => {
        const { size } = ledgerOf(origin);
        refuseOutOfOrder(origin, size, leaves);
        for (const leaf of leaves) foldLeaf(statements, { origin, leaf, memo });
        const last = leaves.at(-1);
        if (last !== undefined) statements.advance.run(origin, size + leaves.length, sha256(last.bytes));
      });
      revisions.forget();
    },
    unknownCritical: () => critical.all().map(({ kind }) => String(kind)),
    dump: () => dumpAll(database),
  };
}

function prepareStatements(database: DatabaseSync): Statements {
  return {
    ledger: database.prepare('SELECT size, last_leaf FROM ledgers WHERE origin = ?'),
    advance: database.prepare('INSERT INTO ledgers VALUES (?, ?, ?) ON CONFLICT (origin) DO UPDATE SET size = excluded.size, last_leaf = excluded.last_leaf'),
    holds: database.prepare('SELECT 1 FROM facts INDEXED BY by_key WHERE key = ? AND origin = ?'),
    close: database.prepare(
      'UPDATE facts INDEXED BY open_states SET to_index = ? WHERE subject = ? AND kind = ? AND origin = ? AND is_state = 1 AND to_index IS NULL',
    ),
    insert: database.prepare('INSERT INTO facts VALUES (?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    skip: database.prepare('INSERT INTO skipped VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1'),
  };
}

function foldLeaf(statements: Statements, { origin, leaf, memo }: { readonly origin: string; readonly leaf: FoldableLeaf; readonly memo: PurlMemo }): void {
  const skip = (type: SkippedLeaves['type'], kind: string): unknown => statements.skip.run(origin, type, kind);
  const change = toRow(leaf.bytes, memo);
  switch (change.type) {
    case 'row':
      if (statements.holds.get(change.row.key, origin) === undefined) insertRow(statements, { origin, leaf, row: change.row });
      else skip('duplicate', change.row.kind);
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

function insertRow(statements: Statements, { origin, leaf, row }: { readonly origin: string; readonly leaf: FoldableLeaf; readonly row: CatalogRow }): void {
  const { key, kind, subject, at, validity, digest } = row;
  const isState = validity === 'state';
  if (isState) statements.close.run(leaf.index, subject, kind, origin);
  statements.insert.run(origin, leaf.index, key, kind, subject, at, Number(isState), row.package ?? null, row.release ?? null, digest ?? null, leaf.bytes);
}

interface Ledger {
  readonly size: number;
  readonly lastLeaf: Sha256 | undefined;
}

function readLedger(statement: StatementSync, origin: string): Ledger {
  const row = statement.get(origin);
  const lastLeaf = row?.['last_leaf'];
  return { size: Number(row?.['size'] ?? 0), lastLeaf: typeof lastLeaf === 'string' ? parseSha256(lastLeaf) : undefined };
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
