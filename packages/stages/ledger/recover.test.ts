import { dyingProcess, memoryLock, memoryStore } from '@granary/contract/memory';
import { checkpointKey, type ObjectKey, tileKey } from '@granary/core/layout';
import { describe, expect, it } from 'vitest';
import { openSequencer } from './index.ts';
import { type LedgerSite, ORIGIN, open, readerOf, sinkOf, storedFact, testAuthority, testNoteSigner, testSite } from './test/ledger-site.ts';

const staging = (site: LedgerSite) => Array.fromAsync(site.store.objects.list(`ledgers/${ORIGIN}/staging/`));

/** A ledger of two batches, the second of which died right behind write `step` (1 staging, 2 lock, then tiles). */
async function diedAt(step: number): Promise<LedgerSite> {
  const site = testSite();
  const sequencer = await open(site);
  await sinkOf(site).submit([storedFact('first')]);
  await sequencer.drain();
  // In an object each, which are removed one after the other.
  await Promise.all([storedFact('second'), storedFact('third')].map((fact) => sinkOf(site).submit([fact])));
  const dying = dyingProcess(site, { step, effect: 'kept' });
  await expect(open({ ...site, ...dying }).then((again) => again.drain())).rejects.toThrow(/killed/);
  return site;
}

/** The same data, with one object as somebody else left it. */
async function withObject(site: LedgerSite, changed: ObjectKey, bytes: Uint8Array | undefined): Promise<LedgerSite> {
  const store = memoryStore();
  for await (const key of site.store.objects.list('')) {
    const kept = await site.store.objects.get(key, 1e8);
    if (key !== changed && kept !== undefined) await store.objects.putOnce(key, kept);
  }
  if (bytes !== undefined) await store.objects.putOnce(changed, bytes);
  return { ...site, store };
}

const bytesOf = async (site: LedgerSite, key: ObjectKey): Promise<Uint8Array> => (await site.store.objects.get(key, 1e8)) ?? new Uint8Array();
const sizeOf = async (site: LedgerSite) => (await readerOf(site).checkpoint())?.size;

describe('a lock that was lost', () => {
  it('is set again to what was published', async () => {
    const site = await diedAt(8);
    await (await open(site)).drain();
    const lock = memoryLock();

    const sequencer = await open({ ...site, lock });

    expect(await lock.load(ORIGIN)).toEqual((await readerOf(site).checkpoint())?.note);
    await sinkOf(site).submit([storedFact('fourth')]);
    expect(await sequencer.drain()).toMatchObject({ sequenced: 1, checkpoint: { size: 7 } });
  });

  it.each([1, 2, 3, 4])('after write %i of a batch is set to that batch, whose tiles may have been written', async (step) => {
    const site = await diedAt(step);

    await open({ ...site, lock: memoryLock() });

    expect(await sizeOf(site)).toBe(6);
    expect(await staging(site)).toEqual([]);
  });

  it('is not guessed at when two batches may have been in it', async () => {
    const site = await diedAt(1);
    await sinkOf(site).submit([storedFact('fourth')]);
    const dying = dyingProcess(site, { step: 1, effect: 'kept' });
    await expect(open({ ...site, ...dying }).then((again) => again.drain())).rejects.toThrow(/killed/);
    expect(await staging(site)).toHaveLength(2);

    const opened = open({ ...site, lock: memoryLock() });

    await expect(opened).rejects.toMatchObject({ code: 'inconsistent', message: expect.stringContaining('restore the lock from a backup') });
  });

  it('together with the checkpoint is not taken for a new log', async () => {
    const site = await withObject(await diedAt(8), checkpointKey(ORIGIN), undefined);

    await expect(open({ ...site, lock: memoryLock() })).rejects.toMatchObject({
      code: 'inconsistent',
      message: expect.stringContaining('restore the checkpoint'),
    });
  });
});

it('publishes a head whose batch is whole in tiles, though an older checkpoint came after it', async () => {
  const site = await diedAt(2);
  const older = await bytesOf(site, checkpointKey(ORIGIN));
  await open(site);
  await site.store.mutable.replace(checkpointKey(ORIGIN), older);
  expect([await sizeOf(site), await staging(site)]).toEqual([4, []]);

  await open(site);

  expect(await sizeOf(site)).toBe(6);
});

describe('what does not fit together', () => {
  it('a ledger of the other side', async () => {
    const site = await diedAt(8);

    await expect(open(site, testAuthority({ side: 'private' }))).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('a lock older than what was published', async () => {
    const site = await diedAt(1);
    const lock = memoryLock();
    await lock.swap(ORIGIN, undefined, (await site.lock.load(ORIGIN)) ?? new Uint8Array());
    await open(site).then((sequencer) => sequencer.drain());

    await expect(open({ ...site, lock })).rejects.toMatchObject({ code: 'inconsistent', message: expect.stringContaining('restore the newest lock') });
  });

  it('a head whose batch is gone', async () => {
    const site = await diedAt(2);
    const [staged] = await staging(site);
    if (staged !== undefined) await site.store.mutable.remove(staged);

    await expect(open(site)).rejects.toMatchObject({ code: 'inconsistent', message: expect.stringContaining('restore the store from the newest replica') });
  });

  it('a staged batch in which one bit was turned is never published', async () => {
    const site = await diedAt(2);
    const [staged] = await staging(site);
    if (staged === undefined) throw new Error('nothing staged');
    const whole = await bytesOf(site, staged);

    for (const at of [5, 200, whole.length - 1, whole.length - 200]) {
      const bent = await withObject(
        site,
        staged,
        whole.map((byte, index) => (index === at ? byte ^ 1 : byte)),
      );
      await expect(open(bent)).rejects.toMatchObject({ code: 'inconsistent' });
      expect(await sizeOf(bent)).toBe(4);
    }
    await expect(open(await withObject(site, staged, whole.slice(0, -1)))).rejects.toMatchObject({ code: 'inconsistent' });
  });

  it('a tile that rotted', async () => {
    const site = await diedAt(8);
    const size = await sizeOf(site);
    const tile = tileKey(ORIGIN, `tile/0/000.p/${size}`);
    const bent = (await bytesOf(site, tile)).map((byte, at) => (at === 0 ? byte ^ 1 : byte));

    await expect(open(await withObject(site, tile, bent))).rejects.toMatchObject({
      code: 'inconsistent',
      message: expect.stringContaining('tiles do not bear out'),
    });
  });

  it('another key than the one that signed', async () => {
    const site = await diedAt(8);

    const opened = openSequencer({ ...site, noteSigner: testNoteSigner('other'), origin: ORIGIN, authority: testAuthority() });

    await expect(opened).rejects.toMatchObject({ code: 'inconsistent', message: expect.stringContaining("bring back the ledger's key") });
  });

  it('a catalog of another ledger', async () => {
    const [site, other] = [await diedAt(8), testSite()];
    await sinkOf(other).submit([storedFact('other')]);
    await open(other).then((sequencer) => sequencer.drain());

    await expect(open({ ...site, catalog: other.catalog })).rejects.toMatchObject({ code: 'wrong-catalog' });
    await expect(open({ ...testSite(), catalog: site.catalog })).rejects.toMatchObject({ code: 'wrong-catalog' });
  });

  it('a signing key of another name than the ledger', async () => {
    const opened = openSequencer({ ...testSite(), noteSigner: testNoteSigner('ledger', 'other.example'), origin: ORIGIN, authority: testAuthority() });

    await expect(opened).rejects.toMatchObject({ code: 'bad-request' });
  });
});
