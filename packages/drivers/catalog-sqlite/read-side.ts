import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { type AtSize, type Catalog, CatalogError, type CatalogFact } from '@granary/contract/ports';
import { decodeLeaf } from '@granary/core/model';
import { digestBytes, digestText } from './digest-column.ts';
import type { Revisions } from './revisions.ts';

type Row = Record<string, SQLOutputValue>;

/** Any index is below it. */
const WHOLE = Number.MAX_SAFE_INTEGER;
/** Above every character of a subject. */
const LAST_CHARACTER = '\u{10FFFF}';

/** The index is named, so that no look-up ever becomes a scan. */
const factBy = (index: string): string =>
  `SELECT origin, from_index, key, leaf FROM facts INDEXED BY ${index} CROSS JOIN ledgers ON ledgers.ledger = facts.ledger`;
const IN_ORDER = 'ORDER BY at_ms, origin, from_index';
const STANDS = 'from_index < :size AND (:history = 1 OR to_index IS NULL OR to_index >= :size)';

export function readSide(database: DatabaseSync, revisions: Revisions): Catalog {
  const byKey = database.prepare(`${factBy('by_key')} WHERE key = ? ${IN_ORDER} LIMIT 1`);
  const current = database.prepare(
    `${factBy('by_subject')} WHERE subject = ? AND kind = ? AND from_index < ? ORDER BY at_ms DESC, origin DESC, from_index DESC LIMIT 1`,
  );
  const ofPackage = database.prepare(`${factBy('by_package')} WHERE package = :package AND kind = :kind AND ${STANDS} ${IN_ORDER}`);
  const ofDigest = database.prepare(`${factBy('by_digest')} WHERE digest = ? AND kind = ? AND to_index IS NULL ${IN_ORDER}`);

  return {
    revision: revisions.all,
    revisionOf: revisions.ofPackage,
    byKey: (key) => optionalFact(byKey.get(digestBytes(key))),
    current: (kind, subject, at) => optionalFact(current.get(subject, kind, at?.size ?? WHOLE)),
    ofPackage: (kind, packagePurl, options) => ofPackage.all({ package: packagePurl, kind, ...span(options) }).map(toFact),
    ofDigest: (kind, digest) => ofDigest.all(digestBytes(digest), kind).map(toFact),
    all: (kind, options = {}) => allOf(database, kind, options),
  };
}

/** A statement of its own for each iteration, so that two of them may be under way at once. */
function* allOf(
  database: DatabaseSync,
  kind: string,
  options: AtSize & { readonly subjectPrefix?: string; readonly history?: boolean },
): Iterable<CatalogFact> {
  const { subjectPrefix = '' } = options;
  const range = subjectPrefix === '' ? '' : 'AND subject >= :low AND subject < :high';
  const statement = database.prepare(`${factBy('by_kind')} WHERE kind = :kind AND ${STANDS} ${range} ${IN_ORDER}`);
  const bounds = subjectPrefix === '' ? {} : { low: subjectPrefix, high: subjectPrefix + LAST_CHARACTER };
  for (const row of statement.iterate({ kind, ...span(options), ...bounds })) yield toFact(row);
}

function span({ size, history }: AtSize & { readonly history?: boolean } = {}): { readonly size: number; readonly history: 0 | 1 } {
  return { size: size ?? WHOLE, history: history === true ? 1 : 0 };
}

function optionalFact(row: Row | undefined): CatalogFact | undefined {
  return row && toFact(row);
}

/** The file lies outside our hands: what is read from it is parsed like any input. */
function toFact({ origin, from_index: index, key, leaf }: Row): CatalogFact {
  const digest = digestText(key);
  const decoded = leaf instanceof Uint8Array ? decodeLeaf(leaf) : undefined;
  if (typeof origin !== 'string' || typeof index !== 'number' || digest === undefined || decoded?.type !== 'entry') {
    throw new CatalogError('unusable', `catalog: the row of ${String(origin)} ${String(index)} is damaged: delete the catalog and fold the ledgers again`);
  }
  return { origin, index, key: digest, entry: decoded.entry };
}
