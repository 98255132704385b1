import { type CatalogRow, dumpLedger, dumpRow, type SkippedLeaves, toRow } from '@granary/core/catalog';
import { type Sha256, sha256 } from '@granary/core/model';
import { type Catalog, CatalogError, type CatalogFact, type CatalogFold, type FoldableLeaf } from '../ports/index.ts';

interface Held {
  readonly origin: string;
  readonly from: number;
  /** Index of the entry that superseded it. */
  to: number | undefined;
  readonly row: CatalogRow;
}
interface Ledger {
  size: number;
  lastLeaf: Sha256 | undefined;
  readonly held: Held[];
  readonly byKey: Map<Sha256, Held>;
  readonly skipped: Map<string, SkippedLeaves>;
}
type Ledgers = Map<string, Ledger>;

/** A catalog in memory, plain enough to hold the real one against: for tests. */
export function memoryCatalog(): Catalog & CatalogFold {
  const ledgers: Ledgers = new Map();
  return { ...readSide(ledgers), ...foldSide(ledgers) };
}

function readSide(ledgers: Ledgers): Catalog {
  const found = (matches: (held: Held) => boolean): readonly CatalogFact[] => inLedgerOrder(ledgers).filter(matches).map(toFact);
  return {
    revision: () => [...ledgers.values()].reduce((sum, { size }) => sum + size, 0),
    revisionOf: (packagePurl) => found(({ row }) => row.package === packagePurl).length,
    byKey(key) {
      const held = [...ledgers.values()].flatMap(({ byKey }) => byKey.get(key) ?? []);
      return held.sort(byTime).map(toFact)[0];
    },
    current: (kind, subject, at) => found((held) => held.row.kind === kind && held.row.subject === subject && isWithin(held, at?.size)).at(-1),
    ofPackage: (kind, packagePurl, at) => found((held) => held.row.kind === kind && held.row.package === packagePurl && stands(held, at)),
    all: (kind, at = {}) => found((held) => held.row.kind === kind && held.row.subject.startsWith(at.subjectPrefix ?? '') && stands(held, at)),
    ofDigest: (kind, digest) => found((held) => held.row.kind === kind && held.row.digest === digest && stands(held)),
  };
}

function foldSide(ledgers: Ledgers): CatalogFold {
  const skipped = ({ skipped }: Ledger): readonly SkippedLeaves[] => [...skipped.values()];
  return {
    size: (origin) => ledgers.get(origin)?.size ?? 0,
    lastLeaf: (origin) => ledgers.get(origin)?.lastLeaf,
    fold(origin, leaves) {
      const ledger = ledgers.get(origin) ?? { size: 0, lastLeaf: undefined, held: [], byKey: new Map(), skipped: new Map() };
      const changes = leaves.map((leaf, offset) => checked(origin, leaf, ledger.size + offset));
      for (const change of changes) keep(ledger, origin, change);
      ledger.lastLeaf = leaves.length === 0 ? ledger.lastLeaf : sha256(leaves.at(-1)?.bytes ?? '');
      if (leaves.length > 0) ledgers.set(origin, ledger);
    },
    unknownCritical() {
      const critical = [...ledgers.values()].flatMap(skipped).filter(({ type }) => type === 'unknown-critical');
      return [...new Set(critical.map(({ kind }) => kind))].sort();
    },
    dump: () =>
      [...ledgers]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([origin, ledger]) => [
          dumpLedger({ origin, size: ledger.size, skipped: skipped(ledger) }),
          ...ledger.held.map((held) => dumpRow(held.row, held)),
        ]),
  };
}

type Change = Exclude<ReturnType<typeof toRow>, { readonly type: 'malformed' }>;

function checked(origin: string, { index, bytes }: FoldableLeaf, expected: number): Change {
  if (index !== expected) throw new CatalogError('out-of-order', `fold ${origin}: leaf ${index}, expected ${expected}`);
  const change = toRow(bytes);
  if (change.type === 'malformed') throw new CatalogError('malformed-leaf', `fold ${origin}: leaf ${index}: ${change.why}`);
  return change;
}

function keep(ledger: Ledger, origin: string, change: Change): void {
  const from = ledger.size;
  ledger.size += 1;
  if (change.type !== 'row') count(ledger, change.type, change.type === 'foreign' ? '' : change.kind);
  else if (ledger.byKey.has(change.row.key)) count(ledger, 'duplicate', change.row.kind);
  else hold(ledger, { origin, from, to: undefined, row: change.row });
}

function hold({ held, byKey }: Ledger, next: Held): void {
  const { key, kind, subject, validity } = next.row;
  const before = validity === 'state' ? held.findLast(({ row }) => row.kind === kind && row.subject === subject) : undefined;
  if (before !== undefined) before.to = next.from;
  held.push(next);
  byKey.set(key, next);
}

function count({ skipped }: Ledger, type: SkippedLeaves['type'], kind: string): void {
  const before = skipped.get(`${type} ${kind}`)?.count ?? 0;
  skipped.set(`${type} ${kind}`, { type, kind, count: before + 1 });
}

function inLedgerOrder(ledgers: Ledgers): readonly Held[] {
  return [...ledgers.values()].flatMap(({ held }) => held).sort(byTime);
}

function byTime(a: Held, b: Held): number {
  if (a.row.at !== b.row.at) return a.row.at < b.row.at ? -1 : 1;
  return a.origin === b.origin ? a.from - b.from : a.origin < b.origin ? -1 : 1;
}

function isWithin({ from }: Held, size = Number.MAX_SAFE_INTEGER): boolean {
  return from < size;
}

function stands(held: Held, at: { readonly size?: number; readonly history?: boolean } = {}): boolean {
  return isWithin(held, at.size) && (at.history === true || held.to === undefined || (at.size !== undefined && held.to >= at.size));
}

function toFact({ origin, from, row }: Held): CatalogFact {
  return { origin, index: from, key: row.key, entry: row.entry };
}
