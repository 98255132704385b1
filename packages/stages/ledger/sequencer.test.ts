import { type ObjectKey, PENDING_PREFIX, pendingKey } from '@granary/core/layout';
import { decodeLeaf, type Entry, factKey, sha256, toInstant } from '@granary/core/model';
import { leafHash, verifyInclusion } from '@granary/core/tlog';
import { describe, expect, it } from 'vitest';
import { encodePending } from './pending-fact.ts';
import {
  type LedgerSite,
  ORIGIN,
  observedFact,
  open,
  polledFact,
  readerOf,
  roleKeyFact,
  signPending,
  sinkOf,
  statement,
  storedFact,
  testAuthority,
  testRoleSigner,
  testSite,
  workerSigner,
} from './test/ledger-site.ts';

async function leavesOf(site: LedgerSite): Promise<readonly Uint8Array[]> {
  const reader = readerOf(site);
  const checkpoint = await reader.checkpoint();
  if (checkpoint === undefined) return [];
  return (await Array.fromAsync(reader.leaves(checkpoint, 0, checkpoint.size))).map(({ bytes }) => bytes);
}

async function entriesOf(site: LedgerSite): Promise<readonly Entry[]> {
  return (await leavesOf(site)).flatMap((leaf) => {
    const decoded = decodeLeaf(leaf);
    return decoded.type === 'entry' ? [decoded.entry] : [];
  });
}

const keys = (site: LedgerSite, prefix: string): Promise<readonly ObjectKey[]> => Array.fromAsync(site.store.objects.list(prefix));

describe('a new ledger', () => {
  it('begins with the site and the keys that may write to it', async () => {
    const site = testSite();

    await open(site);

    const [first, ...rest] = await entriesOf(site);
    expect(first).toMatchObject({ kind: 'site', author: 'SHA256:sequencer', body: { ledger: 'public', origin: ORIGIN } });
    expect(rest.map(({ kind, subject }) => `${kind} ${subject}`).sort()).toEqual(['key-added SHA256:sequencer', 'key-added SHA256:worker']);
    expect(site.catalog.size(ORIGIN)).toBe(3);
  });

  it('is not begun again, but learns keys that it lacks and kinds that changed', async () => {
    const site = testSite();
    await open(site);
    await open(site);
    expect(await entriesOf(site)).toHaveLength(3);
    const authority = testAuthority();

    const changed = [...authority.keys.slice(0, 1), roleKeyFact(workerSigner, 'worker', ['stored']), roleKeyFact(testRoleSigner('other'), 'other', ['polled'])];
    await open(site, { ...authority, keys: changed });

    const added = (await entriesOf(site)).slice(3);
    expect(added.map(({ subject }) => subject).sort()).toEqual(['SHA256:other', 'SHA256:worker']);
    expect(added.find(({ subject }) => subject === 'SHA256:worker')).toHaveProperty('prev');
  });

  it('names the log that it replaces', async () => {
    const site = testSite();
    const previous = { origin: 'old.example', size: 7, root: 'AAAA' };

    await open(site, testAuthority({ previous }));

    expect((await entriesOf(site))[0]?.body).toMatchObject({ previous });
  });

  it('refuses another public key under an id that it knows', async () => {
    const site = testSite();
    await open(site);
    const forged = { ...testRoleSigner('forged'), keyId: workerSigner.keyId };

    const opened = open(site, testAuthority({ keys: [roleKeyFact(forged, 'worker', ['stored'])] }));

    await expect(opened).rejects.toMatchObject({ name: 'LedgerError', code: 'bad-request' });
  });
});

describe('a drain', () => {
  it('takes what an earlier version acknowledged, one of whose 256 folders it still lies in', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const { key, bytes } = await signPending(workerSigner, storedFact('early'));
    await site.store.objects.putOnce(key.replace('pending/', `pending/${key.slice('pending/'.length).slice(0, 2)}/`) as ObjectKey, bytes);

    expect(await sequencer.drain()).toMatchObject({ sequenced: 1, refused: 0 });
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it('sequences what was submitted, once, and leaves nothing pending or staged', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const facts = Array.from({ length: 600 }, (_, at) => storedFact(`package-${at}`));
    await sinkOf(site).submit(facts);
    await sinkOf(site).submit(facts.slice(0, 10));

    const report = await sequencer.drain();

    expect(report).toMatchObject({ sequenced: 600, duplicates: 10, refused: 0, waiting: 0, checkpoint: { size: 603 } });
    expect(new Set((await entriesOf(site)).slice(3).map(factKey))).toEqual(new Set(facts.map(factKey)));
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
    expect(await keys(site, `ledgers/${ORIGIN}/staging/`)).toEqual([]);
    expect(site.catalog.size(ORIGIN)).toBe(603);
  });

  it('drops what the ledger holds as success, also when the outcome differs', async () => {
    const site = testSite();
    const sequencer = await open(site);
    await sinkOf(site).submit([storedFact('click', { sha256: 'first' })]);
    await sequencer.drain();

    await sinkOf(site).submit([storedFact('click', { sha256: 'second' })]);
    const report = await sequencer.drain();

    expect(report).toMatchObject({ sequenced: 0, duplicates: 1, refused: 0 });
    expect((await entriesOf(site)).filter(({ kind }) => kind === 'stored')).toMatchObject([{ body: { sha256: 'first' } }]);
  });

  it('does nothing when nothing is pending', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const before = await readerOf(site).checkpoint();

    await Promise.all([sequencer.drain(), sequencer.drain()]);

    expect(await readerOf(site).checkpoint()).toEqual(before);
  });

  it('puts the leaf of a statement right before the fact that names it', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const { fact, leaf } = statement('click');
    await sinkOf(site).submit([{ fact, leaf }, storedFact('a'), storedFact('b'), polledFact('1')]);

    const { checkpoint } = await sequencer.drain();

    const leaves = await leavesOf(site);
    const at = leaves.findIndex((one) => Buffer.compare(one, leaf) === 0);
    expect(decodeLeaf(leaves[at + 1] ?? new Uint8Array())).toMatchObject({ type: 'entry', entry: fact });
    const proof = await readerOf(site).inclusionProof(checkpoint, at);
    expect(verifyInclusion({ ...checkpoint, index: at, leafHash: leafHash(leaf), proof })).toBe(true);
  });

  it('orders a chain of states, in whatever order its links come', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const chain = [observedFact('0')];
    for (let link = 1; link < 20; link++) chain.push(observedFact(String(link), factKey(chain[link - 1] ?? chain[0] ?? observedFact('0'))));
    await sinkOf(site).submit(chain.toReversed());

    const report = await sequencer.drain();

    expect(report).toMatchObject({ sequenced: 20, refused: 0, waiting: 0 });
    expect((await entriesOf(site)).slice(3).map(factKey)).toEqual(chain.map(factKey));
  });

  it('goes back to an earlier state when a fact says so', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const first = observedFact('a');
    const second = observedFact('b', factKey(first));
    const back = observedFact('a', factKey(second));

    for (const fact of [first, second, back]) {
      await sinkOf(site).submit([fact]);
      await sequencer.drain();
    }

    expect(site.catalog.current('observed', 'pkg:pypi/click')?.key).toBe(factKey(back));
  });

  it('stamps times that never go back, even if the clock does, over a restart too', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const times = [5000, 1000, 9000];

    for (const [at, time] of times.entries()) {
      site.clock.set(2_000_000_000_000 + time);
      await sinkOf(site).submit([polledFact(String(at))]);
      await sequencer.drain();
    }
    site.clock.set(0);
    await sinkOf(site).submit([polledFact('after')]);
    await (await open(site)).drain();

    const stamped = (await entriesOf(site)).slice(3).map(({ at }) => at);
    expect(stamped).toEqual([5000, 5000, 9000, 9000].map((time) => toInstant(2_000_000_000_000 + time)));
  });
});

describe('what cannot be sequenced', () => {
  async function refusedAfter(site: LedgerSite, submit: () => Promise<unknown>) {
    const sequencer = await open(site);
    await submit();
    const before = await readerOf(site).checkpoint();
    const report = await sequencer.drain();
    expect(report).toMatchObject({ sequenced: 0, refused: 1 });
    expect(await readerOf(site).checkpoint()).toEqual(before);
    expect(await keys(site, 'refused/')).toHaveLength(1);
    return site.refused[0];
  }
  const put = (site: LedgerSite, { key, bytes }: { readonly key: ObjectKey; readonly bytes: Uint8Array }) => site.store.objects.putOnce(key, bytes);

  it('for a stale previous state is moved aside, with the reason', async () => {
    const site = testSite();
    const sequencer = await open(site);
    await sinkOf(site).submit([observedFact('a')]);
    await sequencer.drain();

    const refusal = await refusedAfter(site, () => sinkOf(site).submit([observedFact('b')]));

    expect(refusal).toMatchObject({ code: 'stale-prev' });
    expect(refusal?.reason).toContain(factKey(observedFact('a')));
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it('for an author that nobody registered', async () => {
    const site = testSite();

    const refusal = await refusedAfter(site, () => sinkOf(site, testRoleSigner('stranger')).submit([storedFact('click')]));

    expect(refusal).toMatchObject({ code: 'author', reason: 'author SHA256:stranger is not registered in this ledger' });
  });

  it('for a kind that its author may not write', async () => {
    const site = testSite();
    const refusal = await refusedAfter(site, () => sinkOf(site).submit([{ kind: 'policy', subject: 'site', body: {} }]));

    expect(refusal).toMatchObject({ code: 'author', reason: 'author SHA256:worker (worker) may not write policy' });
  });

  it('for a signature of somebody else', async () => {
    const site = testSite();
    const impostor = { ...testRoleSigner('impostor'), keyId: workerSigner.keyId };

    expect(await refusedAfter(site, () => sinkOf(site, impostor).submit([storedFact('click')]))).toMatchObject({ code: 'signature' });
  });

  it('for a fact that was changed after it was signed', async () => {
    const site = testSite();
    const { key } = await signPending(workerSigner, storedFact('click'));
    const signature = await workerSigner.sign(new TextEncoder().encode('other'));
    const forged = encodePending({ author: workerSigner.keyId, fact: storedFact('click', { note: 'changed' }), signature });

    expect(await refusedAfter(site, () => put(site, { key, bytes: forged }))).toMatchObject({ code: 'malformed' });
  });

  it('for the other ledger', async () => {
    const site = testSite();
    const authority = testAuthority({ keys: [...testAuthority().keys, roleKeyFact(testRoleSigner('demand'), 'demand', ['wanted'])] });
    await open(site, authority);

    const refusal = await refusedAfter(site, () => sinkOf(site, testRoleSigner('demand')).submit([{ kind: 'wanted', subject: 'pkg:pypi/click', body: {} }]));

    expect(refusal).toMatchObject({ code: 'wrong-ledger', reason: 'wanted is no fact of the public ledger' });
  });

  it.each([
    ['erased', 'needs-approval'],
    ['withheld', 'needs-approval'],
    ['fork-published', 'needs-approval'],
    ['invented', 'unknown-kind'],
  ])('of the kind %s: %s', async (kind, code) => {
    const site = testSite();
    const { bytes } = await signPending(workerSigner, storedFact('click'));
    const foreign = new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"kind":"stored"', `"kind":"${kind}"`));

    expect(await refusedAfter(site, () => put(site, { key: pendingKey(sha256('fact'), sha256(foreign)), bytes: foreign }))).toMatchObject({ code });
  });

  it.each(['', '{}', '{"author":1}', 'nothing', '{"author":"x","fact":{},"signature":"AA=="}'])('because it is %j', async (text) => {
    const site = testSite();
    const bytes = new TextEncoder().encode(text);

    expect(await refusedAfter(site, () => put(site, { key: pendingKey(sha256('fact'), sha256(bytes)), bytes }))).toMatchObject({ code: 'malformed' });
  });

  it('because it is longer than a fact can be; that stays where it is', async () => {
    const site = testSite();
    const { key } = await signPending(workerSigner, storedFact('click'));

    const refusal = await refusedAfter(site, () => put(site, { key, bytes: new Uint8Array(300_000) }));

    expect(refusal).toMatchObject({ code: 'malformed', reason: 'more than 262144 bytes' });
    expect(await keys(site, PENDING_PREFIX)).toHaveLength(1);
  });

  it('for a leaf that is not the one it names, or none', async () => {
    const [site, other] = [testSite(), testSite()];
    const signed = await signPending(workerSigner, statement('click').fact, statement('other').leaf);
    const bare = await signPending(workerSigner, statement('click').fact);

    expect(await refusedAfter(site, () => put(site, signed))).toMatchObject({ code: 'leaf' });
    expect(await refusedAfter(other, () => put(other, bare))).toMatchObject({ code: 'leaf' });
  });

  it('for a previous state that never comes, after it was waited for', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const late = observedFact('b', factKey(observedFact('a')));
    await sinkOf(site).submit([late]);

    expect(await sequencer.drain()).toMatchObject({ refused: 0, waiting: 1 });
    expect(await sequencer.drain()).toMatchObject({ refused: 1, waiting: 0 });

    expect(site.refused).toMatchObject([{ code: 'unknown-prev' }]);
    await sinkOf(site).submit([observedFact('a'), late]);
    expect(await sequencer.drain()).toMatchObject({ sequenced: 2, refused: 0 });
  });

  it('by a key that was retired, from that entry on', async () => {
    const site = testSite();
    const sequencer = await open(site);
    await sinkOf(site).submit([storedFact('before')]);
    await sequencer.drain();
    await sinkOf(site).submit([{ kind: 'key-retired', subject: workerSigner.keyId, body: { reason: 'rotated' } }, storedFact('after')]);

    const report = await sequencer.drain();

    expect(report).toMatchObject({ sequenced: 1, refused: 1 });
    expect(site.refused).toMatchObject([{ code: 'author', reason: 'author SHA256:worker (worker) was retired' }]);
    await open(site);
    expect(await entriesOf(site)).toHaveLength(5);
  });
});
