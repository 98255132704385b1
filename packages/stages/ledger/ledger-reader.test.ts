import { memoryCatalog } from '@granary/contract/memory';
import { leafHash, sameHash, verifyConsistency, verifyInclusion } from '@granary/core/tlog';
import { describe, expect, it } from 'vitest';
import { catchUp, follow, openLedgerReader, refuseFork, storeSource } from './index.ts';
import { type LedgerSite, ORIGIN, open, readerOf, sinkOf, storedFact, testAuthority, testClock, testNoteSigner, testSite } from './test/ledger-site.ts';

async function grown(batches: readonly number[], site = testSite()): Promise<LedgerSite> {
  const sequencer = await open(site);
  for (const [batch, count] of batches.entries()) {
    await sinkOf(site).submit(Array.from({ length: count }, (_, at) => storedFact(`p-${batch}-${at}`)));
    await sequencer.drain();
  }
  return site;
}

async function head(site: LedgerSite) {
  const checkpoint = await readerOf(site).checkpoint();
  if (checkpoint === undefined) throw new Error('nothing was published');
  return checkpoint;
}

describe('a ledger reader', () => {
  it('finds no checkpoint where no log was started', async () => {
    expect(await readerOf(testSite()).checkpoint()).toBeUndefined();
  });

  it('reads any range of leaves', async () => {
    const site = await grown([300]);
    const checkpoint = await head(site);
    const read = async (start: number, end: number) => (await Array.fromAsync(readerOf(site).leaves(checkpoint, start, end))).map(({ index }) => index);

    expect(await read(254, 258)).toEqual([254, 255, 256, 257]);
    expect(await read(301, 1000)).toEqual([301, 302]);
    expect(await read(5, 5)).toEqual([]);
    expect(await read(0, 303)).toHaveLength(303);
  });

  it('proves leaves, and that the log only grew', async () => {
    const site = await grown([300]);
    const older = await head(site);
    await grown([0, 300], site);
    const newer = await head(site);
    const reader = readerOf(site);

    const [leaf] = await Array.fromAsync(reader.leaves(newer, 42, 43));
    const proof = await reader.inclusionProof(newer, 42);
    const consistency = await reader.consistencyProof(newer, older.size);

    expect(verifyInclusion({ ...newer, index: 42, leafHash: leafHash(leaf?.bytes ?? new Uint8Array()), proof })).toBe(true);
    expect(sameHash(consistency.root, older.root)).toBe(true);
    expect(verifyConsistency({ oldSize: older.size, oldRoot: older.root, size: newer.size, root: newer.root, proof: consistency.proof })).toBe(true);
  });

  it('believes no checkpoint of another key', async () => {
    const { store } = await grown([1]);
    const reader = openLedgerReader({ source: storeSource(store.objects, ORIGIN), origin: ORIGIN, verifierKey: testNoteSigner('other').verifierKey });

    await expect(reader.checkpoint()).rejects.toMatchObject({ name: 'LedgerError', code: 'unverified' });
  });

  it('believes no leaf that the tree does not bear out', async () => {
    const site = await grown([300]);
    const other = await grown([0, 300]);
    const checkpoint = await head(site);
    const mixed = openLedgerReader({
      source: (path, maxBytes) => storeSource(path.startsWith('tile/entries/') ? other.store.objects : site.store.objects, ORIGIN)(path, maxBytes),
      origin: ORIGIN,
      verifierKey: testNoteSigner('ledger').verifierKey,
    });

    await expect(Array.fromAsync(mixed.leaves(checkpoint, 0, 10))).rejects.toMatchObject({ code: 'unverified' });
  });

  it('notices a fork', async () => {
    const [one, other] = [await grown([300]), await grown([0, 400])];

    await expect(refuseFork(readerOf(other), await head(one), await head(other))).rejects.toMatchObject({ code: 'forked' });
  });
});

describe('following a ledger', () => {
  it('yields every leaf once, in order, as it is published', async () => {
    const site = await grown([300]);
    const abort = new AbortController();
    const indexes: number[] = [];

    for await (const { leaves, checkpoint } of follow(readerOf(site), { from: 100, clock: testClock(), everyMs: 1, signal: abort.signal })) {
      indexes.push(...leaves.map(({ index }) => index));
      if (checkpoint.size === 303) await grown([0, 2000], site);
      if (indexes.at(-1) === 2302) abort.abort();
    }

    expect(indexes).toEqual(Array.from({ length: 2203 }, (_, at) => 100 + at));
  });

  it('stops at a log that does not continue the one that was seen', async () => {
    const [one, other] = [await grown([30]), await grown([0, 40])];
    const followed = follow(readerOf(other), { from: 0, clock: testClock(), everyMs: 1, after: await head(one) });

    await expect(followed.next()).rejects.toMatchObject({ code: 'forked' });
  });

  it('waits while a copy lags behind', async () => {
    const [newer, older] = [await grown([30, 10]), await grown([30])];
    const abort = new AbortController();
    const clock = testClock();
    let slept = 0;
    const counting = {
      ...clock,
      async sleep(ms: number, signal?: AbortSignal) {
        slept += 1;
        if (slept === 3) abort.abort();
        await clock.sleep(ms, signal);
      },
    };

    const seen = await Array.fromAsync(follow(readerOf(older), { from: 43, clock: counting, everyMs: 1, after: await head(newer), signal: abort.signal }));

    expect(seen).toEqual([]);
    expect(slept).toBe(3);
  });

  it('brings a catalog of anybody to the same state', async () => {
    const site = await grown([300, 5]);
    const catalog = memoryCatalog();

    await catchUp(readerOf(site), catalog, { ...(await head(site)), size: 303, root: (await readerOf(site).consistencyProof(await head(site), 303)).root });
    await catchUp(readerOf(site), catalog, await head(site));

    expect([...catalog.dump()]).toEqual([...site.catalog.dump()]);
  });

  it('works on a private ledger as well', async () => {
    const site = testSite();
    await open(site, testAuthority({ side: 'private' }));

    expect((await head(site)).size).toBe(3);
  });
});
