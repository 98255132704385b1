import { memoryCatalog } from '@granary/contract/memory';
import type { TakenPack } from '@granary/contract/ports';
import { type ObjectId, parseObjectId, type RefEvent, refPurl } from '@granary/core/git';
import { encodeEntry, type Fact, formatPurl, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { packFact, presenceFacts, refFacts } from './repository-facts.ts';

const LAMP = formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'lamp' });
const DOCUMENT = sha256('snapshot');
const id = (digit: string): ObjectId => parseObjectId(digit.repeat(40), 'sha1') ?? never();
const [from, to] = [id('a'), id('b')];

function never(): never {
  throw new Error('the test is wrong');
}

describe('a pack', () => {
  const taken: TakenPack = { pack: sha256('pack'), index: sha256('index'), sizeBytes: 7, objects: 3, findings: [], findingsTotal: 0 };

  it('is a file of its repository, with its index beside it and what was checked', () => {
    const fact = packFact(LAMP, taken, undefined);

    expect(fact.subject).toBe(`${LAMP}?file_name=pack-${taken.pack}.pack`);
    expect(fact.inputs).toEqual([taken.pack]);
    expect(fact.body).toMatchObject({ sha256: taken.pack, sizeBytes: 7, companions: { idx: taken.index }, support: true });
    expect(fact.body['evidence']).toContainEqual({ state: 'checked', check: 'git-fsck' });
  });

  it('says that fsck had something to say, and where that lies', () => {
    const { body } = packFact(LAMP, { ...taken, findingsTotal: 2 }, sha256('findings'));

    expect(body).toMatchObject({ companions: { idx: taken.index, 'fsck.json': sha256('findings') } });
    expect(body['evidence']).toContainEqual({ state: 'checked', check: 'git-fsck-but-for-old-habits' });
  });
});

describe('what became of a ref', () => {
  it.each([
    ['deleted', { event: 'deleted', ref: 'refs/heads/x', from }, { state: 'gone', document: DOCUMENT, from }],
    ['forced', { event: 'forced', ref: 'refs/heads/x', from, to }, { state: 'replaced', document: DOCUMENT, from, to }],
    ['moved', { event: 'tag-moved', ref: 'refs/tags/x', from, to }, { state: 'replaced', document: DOCUMENT, from, to }],
    ['back', { event: 'back', ref: 'refs/heads/x', to }, { state: 'back', document: DOCUMENT, to }],
  ] as const)('is a fact where it is %s', (_, event, body) => {
    expect(refFacts(memoryCatalog(), LAMP, DOCUMENT, [event])).toEqual([{ kind: 'vanished', subject: refPurl(LAMP, event.ref), body }]);
  });

  it('is none where it only goes on', () => {
    const events: readonly RefEvent[] = [
      { event: 'created', ref: 'refs/heads/new', to },
      { event: 'advanced', ref: 'refs/heads/main', from, to },
    ];

    expect(refFacts(memoryCatalog(), LAMP, DOCUMENT, events)).toEqual([]);
  });

  it('follows what was said of it before', () => {
    const catalog = memoryCatalog();
    const [gone] = refFacts(catalog, LAMP, DOCUMENT, [{ event: 'deleted', ref: 'refs/heads/x', from }]);
    record(catalog, gone ?? never());

    const [back] = refFacts(catalog, LAMP, DOCUMENT, [{ event: 'back', ref: 'refs/heads/x', to }]);

    expect(back?.prev).toBe(catalog.current('vanished', refPurl(LAMP, 'refs/heads/x'))?.key);
  });

  it('is told of ten thousand at most: the snapshots have them all', () => {
    const events = Array.from({ length: 10_001 }, (_, at): RefEvent => ({ event: 'deleted', ref: `refs/heads/b${at}`, from }));

    expect(refFacts(memoryCatalog(), LAMP, DOCUMENT, events)).toHaveLength(10_000);
  });
});

it('that a repository is gone, or there again, is said once each', () => {
  const catalog = memoryCatalog();
  const said = (['back', 'gone', 'gone', 'back', 'back', 'gone'] as const).map((state) => {
    const facts = presenceFacts(catalog, LAMP, state);
    for (const fact of facts) record(catalog, fact);
    return facts.map(({ body }) => body['state']);
  });

  expect(said).toEqual([[], ['gone'], [], ['back'], [], ['gone']]);
});

function record(catalog: ReturnType<typeof memoryCatalog>, fact: Fact): void {
  const index = catalog.size('ledger.example');
  catalog.fold('ledger.example', [{ index, bytes: encodeEntry(fact, 'author', toInstant(index)) }]);
}
