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
      ['author', factKey(unauthorized)],
      ['unknown-prev', factKey(late)],
    ]);
    expect(await keys(site, 'refused/')).toHaveLength(2);
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it('are judged one by one where somebody put in what another signed, or the same twice', async () => {
    const site = testSite();
    const sequencer = await open(site);
    const impostor = { ...testRoleSigner('impostor'), keyId: workerSigner.keyId };
    const first = await lineOf(workerSigner, storedFact('first'));
    await putLines(site, [first, await lineOf(impostor, storedFact('forged')), first]);

    expect(await sequencer.drain()).toMatchObject({ sequenced: 1, duplicates: 1, refused: 1 });

    expect(site.refused).toMatchObject([{ code: 'signature', key: factKey(storedFact('forged')) }]);
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it('are waited for once in a drain, whatever comes meanwhile', async () => {
    const site = testSite();
    const sequencer = await open(site);
    await sinkOf(site).submit([late]);
    let listings = 0;
    const { list } = site.store.objects;
    const flooded: LedgerSite = {
      ...site,
      store: {
        ...site.store,
        objects: {
          ...site.store.objects,
          async *list(prefix) {
            if (prefix === PENDING_PREFIX) listings += 1;
            if (prefix === PENDING_PREFIX) await sinkOf(site).submit([storedFact(`flood-${listings}`)]);
            yield* list(prefix);
          },
        },
      },
    };

    const report = await (await open(flooded)).drain();

    expect([report.sequenced, report.waiting, listings]).toEqual([1, 1, 1]);
    expect(await sequencer.drain()).toMatchObject({ waiting: 1 });
  });

  it.each([
    ['of more than 256', (line: Uint8Array) => Array.from({ length: 257 }, () => line), 'more than 256 facts'],
    [
      'of which the first is not the one in their name',
      async (line: Uint8Array) => [await lineOf(workerSigner, storedFact('other')), line],
      'its name is not made of the fact and the bytes',
    ],
    ['of which one is longer than a fact can be', (line: Uint8Array) => [line, new Uint8Array(131_073)], 'a fact of more than 131072 bytes'],
    ['of which one line is empty', (line: Uint8Array) => [line, new Uint8Array()], 'not canonical JSON of author, fact and signature'],
    ['of which one is no fact', (line: Uint8Array) => [line, Buffer.from('{"a":1}')], 'not canonical JSON of author, fact and signature'],
  ])('%s are no object of a sink, and refused at once', async (_, linesOf, reason) => {
    const site = testSite();
    const sequencer = await open(site);
    await putLines(site, await linesOf(await lineOf(workerSigner, storedFact('first'))));

    expect(await sequencer.drain()).toMatchObject({ sequenced: 0, refused: 1 });

    expect(site.refused).toMatchObject([{ code: 'malformed', reason }]);
    expect(await keys(site, PENDING_PREFIX)).toEqual([]);
  });

  it.each([
    ['under the name of others', true, 0],
    ['under no name of such', false, 1],
  ])('%s are refused once', async (_, isNamed, left) => {
    const site = testSite();
    const sequencer = await open(site);
    const bytes = Buffer.concat([await lineOf(workerSigner, storedFact('first')), Buffer.from('\n'), await lineOf(workerSigner, storedFact('second'))]);
    await site.store.objects.putOnce(isNamed ? pendingKey(sha256('a'), sha256('b')) : ('pending/junk' as ObjectKey), bytes);

    const refused = [await sequencer.drain(), await sequencer.drain()].map((report) => report.refused);

    expect([refused, site.refused.length]).toEqual([[1, 0], 1]);
    expect(await keys(site, PENDING_PREFIX)).toHaveLength(left);
  });

  it('come in batches that leave others something of the process, and objects go whole', async () => {
    const site = testSite();
    const batches: number[] = [];
    const onBatch = ({ entries, state }: { readonly entries: number; readonly state: string }) => void (state === 'started' && batches.push(entries));
    const sequencer = await open(site, undefined, onBatch);
    batches.length = 0;
    await sinkOf(site).submit(Array.from({ length: 2560 }, (_, at) => storedFact(`package-${at}`)));

    expect(await sequencer.drain()).toMatchObject({ sequenced: 2560 });

    expect(batches).toEqual([1024, 1024, 512]);
  });
});
