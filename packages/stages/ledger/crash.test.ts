import { dyingProcess, memoryCatalog, type StoreFault } from '@granary/contract/memory';
import { decodeLeaf, type Fact, factKey, type Sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { refuseFork, type SignedCheckpoint } from './index.ts';
import {
  type LedgerSite,
  ORIGIN,
  observedFact,
  open,
  polledFact,
  readerOf,
  signPending,
  statement,
  storedFact,
  testSite,
  workerSigner,
} from './test/ledger-site.ts';

/** One batch over two bundles, with a chain and a statement, so that every kind of write happens. */
const BATCH: readonly (Fact | ReturnType<typeof statement>)[] = [
  ...Array.from({ length: 260 }, (_, at) => storedFact(`first-${at}`)),
  observedFact('a'),
  observedFact('b', factKey(observedFact('a'))),
  statement('first'),
];
/** What comes next is another batch, of another size. */
const NEXT = [
  ...Array.from({ length: 40 }, (_, at) => storedFact(`second-${at}`)),
  observedFact('c', factKey(observedFact('b', factKey(observedFact('a'))))),
  polledFact('1'),
];

const keyOf = (given: (typeof BATCH)[number]): Sha256 => factKey('leaf' in given ? given.fact : given);

/** Signed once: what is told apart here is what comes after. */
const signed = (given: (typeof BATCH)[number]) => ('leaf' in given ? signPending(workerSigner, given.fact, given.leaf) : signPending(workerSigner, given));
const [signedBatch, signedNext] = await Promise.all([Promise.all(BATCH.map(signed)), Promise.all(NEXT.map(signed))]);

async function put({ store }: LedgerSite, pending: typeof signedBatch): Promise<void> {
  await Promise.all(pending.map(({ key, bytes }) => store.objects.putOnce(key, bytes)));
}

async function checkpointOf(site: LedgerSite): Promise<SignedCheckpoint | undefined> {
  return readerOf(site).checkpoint();
}

async function keysInLog(site: LedgerSite): Promise<readonly Sha256[]> {
  const reader = readerOf(site);
  const checkpoint = await reader.checkpoint();
  if (checkpoint === undefined) return [];
  const leaves = await Array.fromAsync(reader.leaves(checkpoint, 0, checkpoint.size));
  return leaves.flatMap(({ bytes }) => {
    const decoded = decodeLeaf(bytes);
    return decoded.type === 'entry' && !['site', 'key-added'].includes(decoded.entry.kind) ? [factKey(decoded.entry)] : [];
  });
}

/** Nothing lost, nothing doubled, nothing left behind, and every checkpoint that anybody may have seen is a beginning of the log. */
async function expectConverged(site: LedgerSite, seen: readonly (SignedCheckpoint | undefined)[], facts: readonly (typeof BATCH)[number][]): Promise<void> {
  const newest = await checkpointOf(site);
  if (newest === undefined) throw new Error('nothing was published');
  expect((await keysInLog(site)).toSorted()).toEqual(facts.map(keyOf).toSorted());
  for (const checkpoint of seen) if (checkpoint !== undefined) await refuseFork(readerOf(site), checkpoint, newest);
  expect(await Array.fromAsync(site.store.objects.list('pending/'))).toEqual([]);
  expect(await Array.fromAsync(site.store.objects.list('refused/'))).toEqual([]);
  expect(await Array.fromAsync(site.store.objects.list(`ledgers/${ORIGIN}/staging/`))).toEqual([]);
  expect(await site.lock.load(ORIGIN)).toEqual(newest.note);
  expect(site.catalog.size(ORIGIN)).toBe(newest.size);
  const afresh = memoryCatalog();
  await open({ ...site, catalog: afresh });
  expect([...site.catalog.dump()]).toEqual([...afresh.dump()]);
}

async function settled(): Promise<{ readonly site: LedgerSite; readonly first: SignedCheckpoint | undefined }> {
  const site = testSite();
  await open(site);
  return { site, first: await checkpointOf(site) };
}

async function countWrites(run: (site: LedgerSite) => Promise<unknown>, begun: 'begun' | 'new'): Promise<number> {
  const site = begun === 'begun' ? (await settled()).site : testSite();
  if (begun === 'begun') await put(site, signedBatch);
  let writes = 0;
  const never: StoreFault = { step: Number.MAX_SAFE_INTEGER, effect: 'lost' };
  const process = dyingProcess(site, never);
  const counted =
    <A extends readonly unknown[], T>(step: (...given: A) => Promise<T>) =>
    (...given: A): Promise<T> => {
      writes += 1;
      return step(...given);
    };
  const { objects, mutable } = process.store;
  const store = {
    ...process.store,
    objects: { ...objects, putOnce: counted(objects.putOnce) },
    mutable: { replace: counted(mutable.replace), remove: counted(mutable.remove) },
  };
  await run({ ...site, store, lock: { ...process.lock, swap: counted(process.lock.swap) } });
  return writes;
}

const drain = async (site: LedgerSite) => (await open(site)).drain();
const DRAIN_WRITES = await countWrites(drain, 'begun');
const GENESIS_WRITES = await countWrites((site) => open(site), 'new');
/** Stage, lock, tiles and bundles, publish, then the removals, which are all alike. */
const INTERESTING = Math.min(DRAIN_WRITES, 11);
const faults = (writes: number): readonly StoreFault[] =>
  Array.from({ length: writes }, (_, at) => (['lost', 'kept'] as const).map((effect) => ({ step: at + 1, effect }))).flat();

describe('a sequencer that is killed', () => {
  it('writes in the order stage, lock, tiles, publish, and only then removes', () => {
    // Staging, lock, two level-0 tiles, one level-1 tile, two bundles, checkpoint, unstage; then 263 pending facts.
    expect(DRAIN_WRITES).toBe(9 + 263);
    // Staging, lock, one tile, one bundle, checkpoint, unstage.
    expect(GENESIS_WRITES).toBe(6);
  });

  it.each(faults(INTERESTING))('at write $step, $effect, converges with a different next batch', async (fault) => {
    const { site, first } = await settled();
    await put(site, signedBatch);
    const dying = dyingProcess(site, fault);
    await expect(drain({ ...site, ...dying })).rejects.toThrow(/killed at write/);
    expect(dying.died()).toBe(true);
    const atDeath = await checkpointOf(site);
    await put(site, signedNext);

    await drain(site);

    await expectConverged(site, [first, atDeath], [...BATCH, ...NEXT]);
  });

  it.each(faults(INTERESTING))('at write $step, $effect, converges when its catalog is lost too', async (fault) => {
    const { site, first } = await settled();
    await put(site, signedBatch);
    await expect(drain({ ...site, ...dyingProcess(site, fault) })).rejects.toThrow(/killed at write/);
    await put(site, signedNext);
    const next = { ...site, catalog: memoryCatalog() };

    await drain(next);

    await expectConverged(next, [first], [...BATCH, ...NEXT]);
  });

  it.each(faults(GENESIS_WRITES))('at write $step of its first batch, $effect, begins again', async (fault) => {
    const site = testSite();
    await expect(open({ ...site, ...dyingProcess(site, fault) })).rejects.toThrow(/killed at write/);
    const atDeath = await checkpointOf(site);
    site.clock.set(1_900_000_000_000);
    await put(site, signedNext.slice(0, 40));

    await drain(site);

    await expectConverged(site, [atDeath], NEXT.slice(0, 40));
  });

  it('twice, the second time while it recovers, converges', async () => {
    for (const fault of faults(8).filter(({ effect }) => effect === 'kept')) {
      for (const second of faults(4)) {
        const { site, first } = await settled();
        await put(site, signedBatch);
        await expect(drain({ ...site, ...dyingProcess(site, fault) })).rejects.toThrow(/killed/);
        await put(site, signedNext);
        await drain({ ...site, ...dyingProcess(site, second) }).catch((error: unknown) => expect(String(error)).toMatch(/killed/));

        await drain(site);

        await expectConverged(site, [first], [...BATCH, ...NEXT]);
      }
    }
  });

  it('while it folds, converges', async () => {
    const { site, first } = await settled();
    await put(site, signedBatch);
    const broken = {
      ...site.catalog,
      fold() {
        throw new Error('the disk of the catalog is full');
      },
    };
    await expect(drain({ ...site, catalog: broken })).rejects.toThrow(/disk of the catalog/);
    const atDeath = await checkpointOf(site);
    expect(atDeath?.size).toBeGreaterThan(260);
    await put(site, signedNext);

    await drain(site);

    await expectConverged(site, [first, atDeath], [...BATCH, ...NEXT]);
  });
});

describe('a sequencer whose store or lock fails once', () => {
  it.each(faults(INTERESTING))('at write $step, $effect, goes on at its next drain', async (fault) => {
    const { site, first } = await settled();
    await put(site, signedBatch);
    let writes = 0;
    const faulty =
      <A extends readonly unknown[], T>(step: (...given: A) => Promise<T>) =>
      async (...given: A): Promise<T> => {
        writes += 1;
        const atFault = writes === fault.step;
        if (atFault && fault.effect === 'lost') throw new Error('fault');
        const result = await step(...given);
        if (atFault) throw new Error('fault');
        return result;
      };
    const { objects, mutable } = site.store;
    const store = {
      ...site.store,
      objects: { ...objects, putOnce: faulty(objects.putOnce) },
      mutable: { replace: faulty(mutable.replace), remove: faulty(mutable.remove) },
    };
    const sequencer = await open({ ...site, store, lock: { ...site.lock, swap: faulty(site.lock.swap) } });

    await expect(sequencer.drain()).rejects.toThrow(/fault/);
    await put(site, signedNext);
    await sequencer.drain();

    await expectConverged(site, [first], [...BATCH, ...NEXT]);
  });
});

describe('two sequencers', () => {
  it('on one ledger: the slower one loses the lock, and loses nothing else', async () => {
    const { site, first } = await settled();
    const [one, two] = [await open(site), await open({ ...site, catalog: memoryCatalog() })];
    await put(site, signedBatch);
    await one.drain();
    await put(site, signedNext);

    await expect(two.drain()).rejects.toMatchObject({ name: 'LedgerError', code: 'lost-lock' });
    await one.drain();

    await expectConverged(site, [first], [...BATCH, ...NEXT]);
    expect(await two.drain()).toMatchObject({ sequenced: 0, duplicates: 0 });
  });

  it('where the slower one has nothing to add: it does not refuse by what it remembers', async () => {
    const { site } = await settled();
    const [one, two] = [await open(site), await open({ ...site, catalog: memoryCatalog() })];
    await put(site, signedBatch);
    await one.drain();
    await put(site, signedNext.slice(-2, -1));
    await two.drain();

    await expect(two.drain()).rejects.toMatchObject({ code: 'lost-lock' });

    expect(await one.drain()).toMatchObject({ sequenced: 1, refused: 0 });
  });

  it('cannot turn the published checkpoint back', async () => {
    const { site } = await settled();
    await put(site, signedBatch);
    let goOn = (): void => undefined;
    const asleep = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let reached = (): void => undefined;
    const swapped = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const sleepy = {
      ...site.lock,
      async swap(...given: Parameters<typeof site.lock.swap>) {
        const won = await site.lock.swap(...given);
        reached();
        await asleep;
        return won;
      },
    };
    const slow = drain({ ...site, lock: sleepy, catalog: memoryCatalog() });
    await swapped;
    await put(site, signedNext);
    await drain(site);
    const newest = await checkpointOf(site);

    goOn();

    await expect(slow).rejects.toMatchObject({ code: 'lost-lock' });
    expect(await checkpointOf(site)).toEqual(newest);
  });
});
