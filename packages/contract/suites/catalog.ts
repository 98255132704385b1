import { encodeEntry, type Fact, type Instant, type Json, type Sha256, type StateFact, sha256, toInstant } from '@granary/core/model';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Catalog, CatalogFact, CatalogFold, FoldableLeaf } from '../ports/index.ts';

type Subject = Catalog & CatalogFold;

const LOG = 'log.example';
const OTHER = 'other.example';
const when = (tick: number): Instant => toInstant(1_700_000_000_000 + tick);
const raw = (value: Json): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function stored(file: string, digest: Sha256 = sha256(file)): Fact {
  return { kind: 'stored', subject: `pkg:pypi/six@1.0?file_name=${file}`, inputs: [digest], body: { sha256: digest } };
}
function observed(state: string, prev?: Sha256, subject = 'pkg:pypi/six'): StateFact {
  return { kind: 'observed', subject, body: { state, sha256: sha256(state) }, ...(prev === undefined ? {} : { prev }) };
}
const states = (facts: Iterable<CatalogFact>): readonly (Json | undefined)[] => [...facts].map(({ entry }) => entry.body['state']);
const indexes = (facts: Iterable<CatalogFact>): readonly string[] => [...facts].map(({ origin, index }) => `${origin} ${index}`);

/** What every Catalog must do; `open` gives an empty one at each call. */
export function catalogContract(open: () => Subject): void {
  let catalog: Subject;
  beforeEach(() => {
    catalog = open();
  });

  /** Folds facts, each a tick later than the one before. */
  function fold(facts: readonly Fact[], origin = LOG, firstTick = catalog.size(origin)): void {
    const from = catalog.size(origin);
    const leaves = facts.map((fact, n) => ({ index: from + n, bytes: encodeEntry(fact, 'key', when(firstTick + n)) }));
    catalog.fold(origin, leaves);
  }

  describe('looking up', () => lookUpContract(() => catalog, fold));
  describe('states', () => stateContract(() => catalog, fold));
  describe('several ledgers', () => ledgersContract(() => catalog, fold));
  describe('folding', () => foldContract(() => catalog, fold));
  describe('what is no fact', () => skippedContract(() => catalog));
  it('dumps the same however the ledgers came in batches', () => batchProperty(open));
}

type Fold = (facts: readonly Fact[], origin?: string, firstTick?: number) => void;

function lookUpContract(catalog: () => Subject, fold: Fold): void {
  it('knows nothing when nothing was folded', () => {
    expect(catalog().byKey(sha256('x'))).toBeUndefined();
    expect(catalog().current('stored', 'pkg:pypi/six')).toBeUndefined();
    expect(catalog().ofPackage('stored', 'pkg:pypi/six')).toEqual([]);
    expect([...catalog().all('stored')]).toEqual([]);
    expect([catalog().size(LOG), catalog().revision(), catalog().revisionOf('pkg:pypi/six')]).toEqual([0, 0, 0]);
    expect(catalog().lastLeaf(LOG)).toBeUndefined();
  });

  it('gives back an entry as it was written', () => {
    const fact = stored('a.whl');
    fold([fact]);

    const found = catalog().current('stored', fact.subject);

    expect(found).toMatchObject({ origin: LOG, index: 0, entry: { ...fact, granary: 1, author: 'key', at: when(0) } });
    expect(catalog().byKey(found?.key ?? sha256(''))).toEqual(found);
  });

  it('finds what is about a package, its releases and artifacts, and about no other', () => {
    const other: Fact = { kind: 'stored', subject: 'pkg:pypi/six-more@1.0', inputs: [], body: {} };
    fold([stored('a.whl'), other, stored('b.whl'), observed('new')]);

    expect(indexes(catalog().ofPackage('stored', 'pkg:pypi/six'))).toEqual([`${LOG} 0`, `${LOG} 2`]);
    expect(indexes(catalog().ofPackage('observed', 'pkg:pypi/six'))).toEqual([`${LOG} 3`]);
    expect(indexes(catalog().all('stored'))).toEqual([`${LOG} 0`, `${LOG} 1`, `${LOG} 2`]);
  });

  it('finds subjects by prefix', () => {
    const subjects = ['pkg:npm/a', 'pkg:pypi/a', 'pkg:pypi/b', 'pkg:pypi/\u00e9', 'site'];
    fold(subjects.map((subject) => ({ kind: 'observed', subject, body: {} })));

    const found = [...catalog().all('observed', { subjectPrefix: 'pkg:pypi/' })].map(({ entry }) => entry.subject);

    expect(found).toEqual(subjects.filter((subject) => subject.startsWith('pkg:pypi/')));
  });

  it('finds the facts that name an artifact', () => {
    const verdict: Fact = {
      kind: 'verdict',
      subject: 'pkg:pypi/six@1.0?file_name=a.whl',
      inputs: [],
      body: { sha256: sha256('a.whl'), verdict: 'reproduced' },
    };
    fold([stored('a.whl'), stored('b.whl'), verdict, stored('copy.whl', sha256('a.whl'))]);

    expect(indexes(catalog().ofDigest('stored', sha256('a.whl')))).toEqual([`${LOG} 0`, `${LOG} 3`]);
    expect(indexes(catalog().ofDigest('verdict', sha256('a.whl')))).toEqual([`${LOG} 2`]);
  });

  it('keeps every outcome of a computed kind, the newest being the current', () => {
    const [first, second] = [stored('a.whl'), stored('a.whl', sha256('other inputs'))];
    fold([first, second]);

    expect(catalog().current('stored', first.subject)?.index).toBe(1);
    expect(indexes(catalog().all('stored'))).toEqual([`${LOG} 0`, `${LOG} 1`]);
  });

  it('grows its revisions with what was folded', () => {
    fold([stored('a.whl'), observed('new', undefined, 'pkg:pypi/other')]);
    const before = [catalog().revision(), catalog().revisionOf('pkg:pypi/six'), catalog().revisionOf('pkg:pypi/other')];

    fold([stored('b.whl')]);

    const [all, six, other] = before;
    expect(catalog().revision()).toBeGreaterThan(all ?? 0);
    expect(catalog().revisionOf('pkg:pypi/six')).toBeGreaterThan(six ?? 0);
    expect(catalog().revisionOf('pkg:pypi/other')).toBe(other);
  });

  it('lets two listings be read at once', () => {
    fold([stored('a.whl'), stored('b.whl')]);

    const pairs: string[] = [];
    for (const outer of catalog().all('stored')) for (const inner of catalog().all('stored')) pairs.push(`${outer.index}${inner.index}`);

    expect(pairs).toEqual(['00', '01', '10', '11']);
  });
}

function stateContract(catalog: () => Subject, fold: Fold): void {
  it('supersede those before them, of the same kind and subject only', () => {
    fold([observed('one'), observed('elsewhere', undefined, 'pkg:pypi/other'), observed('two', sha256('1')), observed('one', sha256('2'))]);

    expect(states(catalog().all('observed'))).toEqual(['elsewhere', 'one']);
    expect(states(catalog().all('observed', { history: true }))).toEqual(['one', 'elsewhere', 'two', 'one']);
    expect(states(catalog().ofPackage('observed', 'pkg:pypi/six'))).toEqual(['one']);
    expect(states(catalog().ofPackage('observed', 'pkg:pypi/six', { history: true }))).toEqual(['one', 'two', 'one']);
    expect(catalog().current('observed', 'pkg:pypi/six')?.index).toBe(3);
    expect(indexes(catalog().ofDigest('observed', sha256('one')))).toEqual([`${LOG} 3`]);
    expect(catalog().ofDigest('observed', sha256('two'))).toEqual([]);
  });

  it('are seen as they stood at any size', () => {
    fold([observed('one'), observed('two', sha256('1')), stored('a.whl'), observed('three', sha256('2'))]);

    const at = (size: number): unknown => catalog().current('observed', 'pkg:pypi/six', { size })?.entry.body['state'];
    expect([0, 1, 2, 3, 4, 99].map(at)).toEqual([undefined, 'one', 'two', 'two', 'three', 'three']);
    expect([0, 1, 2, 3, 4].map((size) => states(catalog().all('observed', { size })))).toEqual([[], ['one'], ['two'], ['two'], ['three']]);
    expect([0, 2, 4].map((size) => states(catalog().ofPackage('observed', 'pkg:pypi/six', { size })))).toEqual([[], ['two'], ['three']]);
    expect(states(catalog().ofPackage('observed', 'pkg:pypi/six', { size: 2, history: true }))).toEqual(['one', 'two']);
    expect(indexes(catalog().all('stored', { size: 2 }))).toEqual([]);
  });
}

function ledgersContract(catalog: () => Subject, fold: Fold): void {
  it('are listed by time, whichever was folded first', () => {
    fold([stored('late.whl')], OTHER, 5);
    fold([stored('early.whl'), stored('later.whl')], LOG, 4);

    expect(indexes(catalog().all('stored'))).toEqual([`${LOG} 0`, `${LOG} 1`, `${OTHER} 0`]);
  });

  it('have states of their own, the newest being the current', () => {
    fold([observed('here')], LOG, 1);
    fold([observed('there')], OTHER, 2);

    expect(states(catalog().all('observed'))).toEqual(['here', 'there']);
    expect(catalog().current('observed', 'pkg:pypi/six')?.origin).toBe(OTHER);
  });

  it('have sizes of their own', () => {
    fold([stored('a.whl'), stored('b.whl')]);
    fold([stored('a.whl')], OTHER);

    expect([catalog().size(LOG), catalog().size(OTHER), catalog().size('none.example')]).toEqual([2, 1, 0]);
  });
}

function foldContract(catalog: () => Subject, fold: Fold): void {
  const leaf = (index: number, fact: Fact): FoldableLeaf => ({ index, bytes: encodeEntry(fact, 'key', when(index)) });

  it('goes on where it stopped, and nowhere else', () => {
    fold([stored('a.whl')]);

    for (const index of [0, 2]) expect(() => catalog().fold(LOG, [leaf(index, stored('b.whl'))])).toThrow(expect.objectContaining({ code: 'out-of-order' }));
    expect(() => catalog().fold(LOG, [leaf(1, stored('b.whl')), leaf(3, stored('c.whl'))])).toThrow(expect.objectContaining({ code: 'out-of-order' }));
    expect(catalog().size(LOG)).toBe(1);
    catalog().fold(LOG, [leaf(1, stored('b.whl'))]);
    expect(catalog().size(LOG)).toBe(2);
  });

  it('of nothing changes nothing', () => {
    catalog().fold(LOG, []);

    expect([...catalog().dump()]).toEqual([]);
  });

  it('takes all leaves or none', () => {
    fold([observed('one')]);
    const before = [...catalog().dump()];
    const unknown = raw({ at: when(2), author: 'k', critical: true, granary: 1, kind: 'later' });

    const broken = [leaf(1, observed('two', sha256('1'))), { index: 2, bytes: unknown }, { index: 3, bytes: raw({ granary: 1 }) }];
    expect(() => catalog().fold(LOG, broken)).toThrow(expect.objectContaining({ name: 'CatalogError', code: 'malformed-leaf' }));

    expect([...catalog().dump()]).toEqual(before);
    expect(catalog().unknownCritical()).toEqual([]);
    expect(states(catalog().all('observed'))).toEqual(['one']);
  });

  it('keeps the first of two entries with the same key', () => {
    fold([stored('a.whl'), { ...stored('a.whl'), body: { sha256: sha256('a.whl'), later: true } }, observed('one'), observed('one')]);

    expect(catalog().ofPackage('stored', 'pkg:pypi/six')).toHaveLength(1);
    expect(catalog().current('stored', stored('a.whl').subject)?.index).toBe(0);
    expect(catalog().current('observed', 'pkg:pypi/six')?.index).toBe(2);
    expect(catalog().size(LOG)).toBe(4);
  });

  it('names its last leaf, whatever that is', () => {
    fold([stored('a.whl')]);
    catalog().fold(LOG, [{ index: 1, bytes: raw({ foreign: true }) }]);

    expect(catalog().lastLeaf(LOG)).toBe(sha256(raw({ foreign: true })));
  });
}

function skippedContract(catalog: () => Subject): void {
  const of = (kind: string, critical: boolean): Uint8Array => raw({ at: when(0), author: 'k', ...(critical ? { critical } : {}), granary: 1, kind });
  const foldRaw = (...leaves: readonly Uint8Array[]): void =>
    catalog().fold(
      LOG,
      leaves.map((bytes, index) => ({ index, bytes })),
    );

  it('is counted and changes nothing, if it says that it may be passed over', () => {
    foldRaw(of('later', false), of('later', false), raw({ apiVersion: '0.0.2' }));

    expect(catalog().unknownCritical()).toEqual([]);
    expect(catalog().size(LOG)).toBe(3);
    expect([...catalog().dump()]).toEqual(['{"ledger":"log.example","size":3,"skipped":[["foreign","",1],["unknown-optional","later",2]]}']);
  });

  it('is named, if it may not', () => {
    foldRaw(of('worse', true), of('bad', true), of('worse', true));

    expect(catalog().unknownCritical()).toEqual(['bad', 'worse']);
  });
}

const someFact = fc.oneof(
  fc.record({ kind: fc.constant('observed' as const), subject: fc.constantFrom('pkg:pypi/a', 'pkg:pypi/b', 'site'), body: fc.record({ n: fc.nat(3) }) }),
  fc.record({
    kind: fc.constantFrom('stored' as const, 'verdict' as const),
    subject: fc.constantFrom('pkg:pypi/a@1?file_name=a.whl', 'pkg:pypi/b@1', 'pkg:npm/%40s/n@1'),
    inputs: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }),
    body: fc.record({ sha256: fc.constantFrom(sha256('x'), sha256('y')) }),
  }),
  fc.record({ kind: fc.constant('polled' as const), subject: fc.constant('pkg:pypi/a'), run: fc.nat(5).map(String), body: fc.constant({}) }),
);
const someLeaf = fc.oneof(
  { weight: 9, arbitrary: someFact.map((fact) => (at: Instant) => encodeEntry(fact, 'key', at)) },
  { weight: 1, arbitrary: fc.constantFrom('later', 'other').map((kind) => (at: Instant) => raw({ at, author: 'k', granary: 1, kind })) },
  { weight: 1, arbitrary: fc.constant(() => raw({ foreign: true })) },
);
/** Which ledger each leaf goes to, and whether the batch of that ledger ends with it. */
const someLedgers = fc.array(fc.record({ leaf: someLeaf, origin: fc.constantFrom(LOG, OTHER), ends: fc.boolean() }), { maxLength: 40 });

function batchProperty(open: () => Subject): void {
  fc.assert(
    fc.property(someLedgers, (steps) => {
      const [batched, whole] = [open(), open()];
      const waiting = new Map<string, FoldableLeaf[]>();
      const all = new Map<string, FoldableLeaf[]>();
      for (const [tick, { leaf, origin, ends }] of steps.entries()) {
        const next = { index: all.get(origin)?.length ?? 0, bytes: leaf(when(tick)) };
        all.set(origin, [...(all.get(origin) ?? []), next]);
        waiting.set(origin, [...(waiting.get(origin) ?? []), next]);
        if (ends) batched.fold(origin, waiting.get(origin) ?? []);
        if (ends) waiting.delete(origin);
      }
      for (const [origin, leaves] of waiting) batched.fold(origin, leaves);
      for (const [origin, leaves] of [...all].reverse()) whole.fold(origin, leaves);

      expect([...batched.dump()]).toEqual([...whole.dump()]);
      for (const kind of ['observed', 'stored', 'polled']) expect([...batched.all(kind)]).toEqual([...whole.all(kind)]);
    }),
  );
}
