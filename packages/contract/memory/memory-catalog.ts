import { canonicalJson, decodeLeaf, factKey, isState, packageOf, parsePurl, type Sha256 } from '@granary/core/model';
import { type Catalog, CatalogError, type CatalogFact, type CatalogFold, type FoldableLeaf } from '../ports/index.ts';

interface Fold {
  readonly facts: CatalogFact[];
  readonly byKey: Map<Sha256, CatalogFact>;
  /** History of each kind and subject, in ledger order. */
  readonly histories: Map<string, CatalogFact[]>;
  readonly sizes: Map<string, number>;
  readonly unknownCritical: Set<string>;
}

/** A catalog in memory, plain enough to hold the real one against: for tests. */
export function memoryCatalog(): Catalog & CatalogFold {
  const fold: Fold = { facts: [], byKey: new Map(), histories: new Map(), sizes: new Map(), unknownCritical: new Set() };
  return { ...readSide(fold), ...foldSide(fold) };
}

function readSide(fold: Fold): Catalog {
  const all: Catalog['all'] = (kind, { size, subjectPrefix = '', history = false } = {}) =>
    fold.facts.filter((fact) => {
      const { entry } = fact;
      if (entry.kind !== kind || !entry.subject.startsWith(subjectPrefix) || !isWithin(fact, size)) return false;
      return history || !isState(entry) || newest(fold, kind, entry.subject, size) === fact;
    });
  return {
    revision: () => fold.facts.length,
    revisionOf: (packagePurl) => fold.facts.filter(({ entry }) => packageOfSubject(entry.subject) === packagePurl).length,
    byKey: (key) => fold.byKey.get(key),
    current: (kind, subject, at) => newest(fold, kind, subject, at?.size),
    ofPackage: (kind, packagePurl, options) => [...all(kind, options)].filter(({ entry }) => packageOfSubject(entry.subject) === packagePurl),
    all,
    ofDigest: (kind, digest) => fold.facts.filter(({ entry }) => entry.kind === kind && entry.body['sha256'] === digest),
  };
}

function foldSide(fold: Fold): CatalogFold {
  return {
    size: (origin) => fold.sizes.get(origin) ?? 0,
    fold(origin, leaves) {
      const next = fold.sizes.get(origin) ?? 0;
      for (const [at, { index }] of leaves.entries()) {
        if (index !== next + at) throw new CatalogError('out-of-order', `fold ${origin}: leaf ${index}, expected ${next + at}`);
      }
      const facts = leaves.flatMap((leaf) => factsOf(origin, leaf, fold.unknownCritical));
      for (const fact of facts) keep(fold, fact);
      fold.sizes.set(origin, next + leaves.length);
    },
    unknownCritical: () => [...fold.unknownCritical].sort(),
    dump: () => fold.facts.map(({ origin, index, key, entry }) => canonicalJson([origin, index, key, { ...entry }])).sort(),
  };
}

function factsOf(origin: string, { index, bytes }: FoldableLeaf, unknownCritical: Set<string>): readonly CatalogFact[] {
  const decoded = decodeLeaf(bytes);
  switch (decoded.type) {
    case 'entry':
      return [{ origin, index, key: factKey(decoded.entry), entry: decoded.entry }];
    case 'malformed':
      throw new CatalogError('malformed-leaf', `fold ${origin}: leaf ${index} is ${decoded.why}`);
    case 'unknown-critical':
      unknownCritical.add(decoded.kind);
      return [];
    case 'unknown-optional':
    case 'foreign':
      return [];
  }
}

function keep(fold: Fold, fact: CatalogFact): void {
  const { kind, subject } = fact.entry;
  const history = fold.histories.get(`${kind} ${subject}`) ?? [];
  history.push(fact);
  fold.histories.set(`${kind} ${subject}`, history);
  fold.facts.push(fact);
  if (!fold.byKey.has(fact.key)) fold.byKey.set(fact.key, fact);
}

function newest(fold: Fold, kind: string, subject: string, size: number | undefined): CatalogFact | undefined {
  return fold.histories.get(`${kind} ${subject}`)?.findLast((fact) => isWithin(fact, size));
}

function isWithin({ index }: CatalogFact, size: number | undefined): boolean {
  return size === undefined || index < size;
}

function packageOfSubject(subject: string): string | undefined {
  const purl = parsePurl(subject);
  return purl && packageOf(purl);
}
