import { decodeLeaf, type Entry, factKey, type Instant, isState, type Purl, parseSha256, type Sha256 } from '../model/index.ts';
import { type PurlMemo, purlColumns } from './purl-columns.ts';

/**
 * Version of what the fold makes of a leaf. A catalog folded by another version is folded again from zero:
 * raise it with every change of {@link toRow} or of what a driver keeps of a row.
 */
export const FOLD_VERSION = 1;

/** What the catalog keeps of an entry: columns to look it up by, and the entry itself. */
export interface CatalogRow {
  readonly key: Sha256;
  readonly kind: string;
  readonly subject: string;
  readonly at: Instant;
  /** The package and the release that the subject, a purl, belongs to. */
  readonly package?: string;
  readonly release?: Purl;
  /** The artifact that the body names as `sha256`. */
  readonly digest?: Sha256;
  /** `state`: closes the row of the same ledger, kind and subject before it. */
  readonly validity: 'for-ever' | 'state';
  readonly entry: Entry;
}

/** What folding one leaf does. Unknown kinds and leaves that are no facts are counted; malformed leaves stop the fold. */
export type RowChange =
  | { readonly type: 'row'; readonly row: CatalogRow }
  | { readonly type: 'unknown-optional' | 'unknown-critical'; readonly kind: string }
  | { readonly type: 'foreign' }
  | { readonly type: 'malformed'; readonly why: string };

/** A function of the leaf's bytes alone; a memo only saves time. */
export function toRow(leaf: Uint8Array, memo: PurlMemo = new Map()): RowChange {
  const decoded = decodeLeaf(leaf);
  switch (decoded.type) {
    case 'entry':
      return { type: 'row', row: rowOf(decoded.entry, memo) };
    case 'unknown-optional':
    case 'unknown-critical':
    case 'malformed':
      return decoded;
    case 'foreign':
      return { type: 'foreign' };
  }
}

function rowOf(entry: Entry, memo: PurlMemo): CatalogRow {
  const { kind, subject, at, body } = entry;
  const named = body['sha256'];
  const digest = typeof named === 'string' ? parseSha256(named) : undefined;
  return {
    key: factKey(entry),
    kind,
    subject,
    at,
    ...purlColumns(subject, memo),
    ...(digest === undefined ? {} : { digest }),
    validity: isState(entry) ? 'state' : 'for-ever',
    entry,
  };
}
