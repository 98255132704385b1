import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { CatalogError } from '@granary/contract/ports';
import { type CatalogRow, dumpLedger, dumpRow, type SkippedLeaves, toRow } from '@granary/core/catalog';
import { digestText } from './digest-column.ts';

const SKIPPED: readonly SkippedLeaves['type'][] = ['unknown-optional', 'unknown-critical', 'foreign', 'duplicate'];

/** The ordered logical dump. A row whose columns are not those of its leaf has none: CatalogError `unusable`. */
export function* dumpAll(database: DatabaseSync): Iterable<string> {
  const facts = database.prepare('SELECT * FROM facts WHERE ledger = ? ORDER BY from_index');
  for (const ledger of database.prepare('SELECT ledger, origin, size FROM ledgers ORDER BY origin').all()) {
    const origin = String(ledger['origin']);
    yield dumpLedger({ origin, size: Number(ledger['size']), skipped: skippedOf(database, Number(ledger['ledger'])) });
    for (const stored of facts.iterate(Number(ledger['ledger']))) {
      const { from_index: from, to_index: to } = stored;
      yield dumpRow(confirmedRow(stored, origin), { origin, from: Number(from), to: to === null ? undefined : Number(to) });
    }
  }
}

function skippedOf(database: DatabaseSync, ledger: number): readonly SkippedLeaves[] {
  const rows = database.prepare('SELECT type, kind, count FROM skipped WHERE ledger = ?').all(ledger);
  return rows.flatMap(({ type, kind, count }) => {
    const known = SKIPPED.find((one) => one === type);
    return known === undefined ? [] : [{ type: known, kind: String(kind), count: Number(count) }];
  });
}

function confirmedRow(stored: Record<string, SQLOutputValue>, origin: string): CatalogRow {
  const { leaf } = stored;
  const change = leaf instanceof Uint8Array ? toRow(leaf) : undefined;
  if (change?.type === 'row' && isOf(stored, change.row)) return change.row;
  throw new CatalogError(
    'unusable',
    `dump ${origin}: row ${String(stored['from_index'])} is not what its leaf says: delete the catalog and fold the ledgers again`,
  );
}

function isOf(stored: Record<string, SQLOutputValue>, row: CatalogRow): boolean {
  const columns: Record<string, SQLOutputValue> = {
    kind: row.kind,
    subject: row.subject,
    at_ms: Date.parse(row.at),
    is_state: row.validity === 'state' ? 1 : 0,
    package: row.package ?? null,
    release: row.release ?? null,
  };
  if (digestText(stored['key']) !== row.key || digestText(stored['digest']) !== row.digest) return false;
  return Object.entries(columns).every(([name, value]) => stored[name] === value);
}
