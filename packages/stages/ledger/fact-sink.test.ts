import { storeWithFault } from '@granary/contract/memory';
import { type ObjectKey, PENDING_PREFIX } from '@granary/core/layout';
import { describe, expect, it } from 'vitest';
import { signFact } from './pending-fact.ts';
import { type LedgerSite, open, sinkOf, statement, storedFact, testSite, workerSigner } from './test/ledger-site.ts';

const keys = (site: LedgerSite, prefix: string): Promise<readonly ObjectKey[]> => Array.fromAsync(site.store.objects.list(prefix));

describe('a fact sink', () => {
  it('refuses at once what could never be sequenced', async () => {
    const sink = sinkOf(testSite());
    const { fact } = statement('click');

    await expect(sink.submit([storedFact('click', { note: 'x'.repeat(9000) })])).rejects.toMatchObject({ code: 'bad-request' });
    await expect(sink.submit([{ fact, leaf: new Uint8Array(3) }])).rejects.toMatchObject({ code: 'bad-request' });
    await expect(sink.submit([{ fact, leaf: new Uint8Array(70_000) }])).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('writes a fact twice as one', async () => {
    const site = testSite();
    await Promise.all([sinkOf(site).submit([storedFact('click')]), sinkOf(site).submit([storedFact('click')])]);

    expect(await keys(site, PENDING_PREFIX)).toHaveLength(1);
  });

  it('writes a fact once that comes twice at the same time', async () => {
    const site = testSite();
    const sink = sinkOf(site);
    await Promise.all([sink.submit([storedFact('click')]), sink.submit([storedFact('click'), storedFact('other')])]);

    expect(await (await open(site)).drain()).toMatchObject({ sequenced: 2, duplicates: 0 });
  });

  it('puts down together what comes at the same time, whoever submits it', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const sink = sinkOf(site);
    const facts = Array.from({ length: 40 }, (_, at) => storedFact(`package-${at}`));

    await Promise.all(facts.map((fact) => sink.submit([fact])));

    expect(await keys(site, PENDING_PREFIX)).toHaveLength(1);
    expect(await sequencer.drain()).toMatchObject({ sequenced: 40, duplicates: 0 });
  });

  it('puts down in order what does not fit into one object', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const written: string[] = [];
    const putOnce: typeof site.store.objects.putOnce = async (key, bytes) => {
      await site.store.objects.putOnce(key, bytes);
      written.push(...new TextDecoder().decode(bytes).split('\n'));
    };
    const facts = Array.from({ length: 300 }, (_, at) => storedFact(`package-${at}`, { note: 'x'.repeat(at % 2 === 0 ? 10 : 7000) }));

    await sinkOf({ store: { ...site.store, objects: { ...site.store.objects, putOnce } } }).submit(facts);

    const expected = await Promise.all(facts.map(async (fact) => new TextDecoder().decode(await lineOf(fact))));
    expect(written).toEqual(expected);
    expect((await keys(site, PENDING_PREFIX)).length).toBeGreaterThan(4);
    expect(await sequencer.drain()).toMatchObject({ sequenced: 300, refused: 0 });
  });

  it('tells everybody whose fact was in a write that failed, and goes on with the next', async () => {
    const site = testSite();
    const sink = sinkOf(storeWithFault(site.store, { step: 1, effect: 'lost' }));

    const outcomes = await Promise.allSettled(['first', 'second'].map((name) => sink.submit([storedFact(name)])));
    await sink.submit([storedFact('third')]);

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await keys(site, PENDING_PREFIX)).toHaveLength(1);
  });

  const lineOf = async (fact: Parameters<typeof signFact>[1]) => (await signFact(workerSigner, fact)).line;
});
