import { type ObjectKey, PENDING_PREFIX, pendingKey } from '@granary/core/layout';
import { factKey, sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { signFact } from './pending-fact.ts';
import { type LedgerSite, observedFact, open, sinkOf, storedFact, testRoleSigner, testSite, workerSigner } from './test/ledger-site.ts';

const keys = (site: LedgerSite, prefix: string): Promise<readonly ObjectKey[]> => Array.fromAsync(site.store.objects.list(prefix));

describe('facts that were acknowledged together', () => {
  const unauthorized = { kind: 'policy', subject: 'site', body: {} } as const;
  const late = observedFact('b', factKey(observedFact('a')));
  const recordOf = async (site: LedgerSite, key: ObjectKey): Promise<unknown> =>
    JSON.parse(new TextDecoder().decode(await site.store.objects.get(key, 100_000)));
  /** An object of these lines. */
  async function putLines(site: LedgerSite, lines: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(lines.flatMap((line, at) => (at === 0 ? [line] : [Buffer.from('\n'), line])));
    const { key } = await signFact(workerSigner, storedFact('first'));
    await site.store.objects.putOnce(pendingKey(key, sha256(bytes)), bytes);
  }
  const lineOf = async (...given: Parameters<typeof signFact>) => (await signFact(...given)).line;

  it('lie in one object, and each is sequenced or refused for itself', async () => {
    const site = testSite();
    const sequencer = await open(site);
    await sinkOf(site).submit([storedFact('first'), unauthorized, storedFact('second')]);
    expect(await keys(site, PENDING_PREFIX)).toHaveLength(1);

    expect(await sequencer.drain()).toMatchObject({ sequenced: 2, duplicates: 0, refused: 1 });

    const [refused = '' as ObjectKey] = await keys(site, 'refused/');
    const pending = Buffer.from(await lineOf(workerSigner, unauthorized)).toString('base64');
    expect(refused).toContain(factKey(unauthorized));
    expect(await recordOf(site, refused)).toMatchObject({ code: 'author', pending });
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it('stay together until what one of them waits for has come', async () => {
    const site = testSite();
    const sequencer = await open(site);
    await sinkOf(site).submit([late, unauthorized, storedFact('first')]);
    expect(await sequencer.drain()).toMatchObject({ sequenced: 1, duplicates: 0, refused: 0, waiting: 1 });
    expect(await keys(site, PENDING_PREFIX)).toHaveLength(1);
    await sinkOf(site).submit([observedFact('a')]);

    expect(await sequencer.drain()).toMatchObject({ sequenced: 2, duplicates: 0, refused: 1, waiting: 0 });

    expect(site.refused).toMatchObject([{ code: 'author' }]);
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it('are given up once, each with its own reason, when that never comes', async () => {
    const site = testSite();
    const sequencer = await open(site);
    await sinkOf(site).submit([late, unauthorized, storedFact('first')]);
    await sequencer.drain();

    expect(await sequencer.drain()).toMatchObject({ sequenced: 0, duplicates: 0, refused: 2, waiting: 0 });
    expect(await sequencer.drain()).toMatchObject({ refused: 0, waiting: 0 });

    expect(site.refused.map(({ code, key }) => [code, key])).toEqual([
      ['unknown-prev', factKey(late)],
      ['author', factKey(unauthorized)],
    ]);
    expect(await keys(site, 'refused/')).toHaveLength(2);
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it('are told apart by an attacker in vain: a line that is none is refused, and costs the others nothing', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const impostor = { ...testRoleSigner('impostor'), keyId: workerSigner.keyId };
    const first = await lineOf(workerSigner, storedFact('first'));
    await putLines(site, [first, new Uint8Array(), await lineOf(impostor, storedFact('forged')), Buffer.from('{"a":1}'), first]);

    expect(await sequencer.drain()).toMatchObject({ sequenced: 1, duplicates: 1, refused: 3 });

    expect(site.refused.map(({ code }) => code)).toEqual(['malformed', 'signature', 'malformed']);
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it.each([
    ['of more than 256', 257, 'more than 256 facts'],
    ['under the name of another', 1, 'its name is not made of the fact and the bytes'],
  ])('%s are refused as a whole', async (_, count, reason) => {
    const site = testSite();
    const sequencer = await open(site);
    const line = await lineOf(workerSigner, storedFact('second'));
    await putLines(
      site,
      Array.from({ length: count }, () => line),
    );

    expect(await sequencer.drain()).toMatchObject({ sequenced: 0, refused: 1 });

    expect(site.refused).toMatchObject([{ code: 'malformed', reason }]);
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });
});
