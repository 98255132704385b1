import { canonicalJson, factJson } from '../model/index.ts';
import type { CatalogRow } from './row.ts';

/** Leaves that became no row, by what they were. */
export interface SkippedLeaves {
  readonly type: 'unknown-optional' | 'unknown-critical' | 'foreign' | 'duplicate';
  /** Of the fact; empty for what is none. */
  readonly kind: string;
  readonly count: number;
}

export interface DumpedLedger {
  readonly origin: string;
  readonly size: number;
  readonly skipped: readonly SkippedLeaves[];
}

/** Where a row stands: `to` is the index of the entry that superseded it. */
export interface RowSpan {
  readonly origin: string;
  readonly from: number;
  readonly to: number | undefined;
}

/** First line of a ledger's part of the dump. Ledgers come by origin, their rows by index: so that every driver's dump is the same text. */
export function dumpLedger({ origin, size, skipped }: DumpedLedger): string {
  const counts = skipped.map(({ type, kind, count }) => [type, kind, count] as const);
  counts.sort((a, b) => (a.join() < b.join() ? -1 : 1));
  return canonicalJson({ ledger: origin, size, skipped: counts });
}

export function dumpRow(row: CatalogRow, { origin, from, to }: RowSpan): string {
  const { key, validity, entry } = row;
  return canonicalJson({
    origin,
    from,
    to: to ?? null,
    key,
    validity,
    package: row.package ?? null,
    release: row.release ?? null,
    digest: row.digest ?? null,
    entry: { ...factJson(entry), author: entry.author, at: entry.at },
  });
}
