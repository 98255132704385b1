import { memoryStore } from '@granary/contract/memory';
import type { Store } from '@granary/contract/ports';
import { checkpointKey, envelopeKey, type ObjectKey, tileKey } from '@granary/core/layout';
import { encodeEntry, type Fact, factKey, type Instant, sha256, toInstant } from '@granary/core/model';
import { appendLeaves, EMPTY_EDGE, formatCheckpoint, formatNote, parseVerifierKey, tilePath } from '@granary/core/tlog';
import { describe, expect, it } from 'vitest';
import { siteFact } from './genesis.ts';
import { type CheckLedgerOptions, checkLedger, storeSource } from './index.ts';
import {
  ORIGIN,
  observedFact,
  open,
  polledFact,
  sequencerSigner,
  sinkOf,
  statement,
  storedFact,
  testAuthority,
  testNoteSigner,
  testSite,
  workerSigner,
} from './test/ledger-site.ts';

const signer = testNoteSigner('ledger');
const at = toInstant(1_800_000_000_000);
const bytes = (text: string) => new TextEncoder().encode(text);

function check(store: Store, change: Partial<CheckLedgerOptions> = {}) {
  return checkLedger({
    source: storeSource(store.objects, ORIGIN),
    origin: ORIGIN,
    verifierKey: signer.verifierKey,
    objects: store.objects,
    blobs: [store.blobs],
    blobCheck: 'digest',
    ...change,
  });
}

const site = { fact: siteFact(testAuthority(), ORIGIN, signer.verifierKey), author: sequencerSigner.keyId };
const keys = testAuthority().keys.map((fact) => ({ fact, author: sequencerSigner.keyId }));
const by = (fact: Fact, author = workerSigner.keyId, time: Instant = at): Uint8Array => encodeEntry(fact, author, time);
const opening = [site, ...keys].map(({ fact, author }) => by(fact, author));

/** A log that a careless or dishonest sequencer signed. */
async function signedLog(leaves: readonly Uint8Array[]): Promise<Store> {
  const store = memoryStore();
  const { root, edge, tiles } = appendLeaves(EMPTY_EDGE, leaves);
  for (const { tile, bytes: data } of tiles) await store.objects.putOnce(tileKey(ORIGIN, tilePath(tile)), data);
  const text = formatCheckpoint({ origin: ORIGIN, size: edge.size, root, extensions: [] });
  const key = parseVerifierKey(signer.verifierKey);
  if (key === undefined) throw new Error('no key');
  await store.mutable.replace(checkpointKey(ORIGIN), formatNote({ text, signatures: [{ ...key, signature: await signer.sign(bytes(text)) }] }));
  return store;
}

async function problemsOf(leaves: readonly Uint8Array[]): Promise<readonly string[]> {
  const { problems } = await check(await signedLog([...opening, ...leaves]), { blobCheck: 'none' });
  return problems.filter(({ code }) => code !== 'envelope').map(({ code, index }) => `${code} ${index}`);
}

/** The same objects, but for one. */
async function bent(store: Store, changed: ObjectKey, change: (whole: Uint8Array) => Uint8Array | undefined): Promise<Store> {
  const copy = memoryStore();
  for await (const key of store.objects.list('')) {
    const whole = (await store.objects.get(key, 1e8)) ?? new Uint8Array();
    const kept = key === changed ? change(whole) : whole;
    if (kept !== undefined) await copy.objects.putOnce(key, kept);
  }
  return copy;
}
const turned = (whole: Uint8Array) => whole.map((byte, index) => (index === 40 ? byte ^ 1 : byte));

async function healthy() {
  const ledger = testSite();
  const sequencer = await open(ledger);
  const wheel = await ledger.store.blobs.put(bytes('a wheel'), { maxBytes: 100 });
  const document = await ledger.store.blobs.put(bytes('a document'), { maxBytes: 100 });
  await sinkOf(ledger).submit([
    ...Array.from({ length: 300 }, (_, n) => storedFact(`p${n}`, { sha256: wheel.sha256 })),
    { kind: 'observed', subject: 'pkg:pypi/p1', body: { document: document.sha256 } },
    polledFact('1'),
  ]);
  await sequencer.drain();
  return { store: ledger.store, wheel: wheel.sha256, document: document.sha256 };
}

describe('checking a ledger', () => {
  it('finds nothing wrong with what the sequencer wrote, and says what it looked at', async () => {
    const { store } = await healthy();
    const progress: number[] = [];

    const report = await check(store, { onProgress: ({ entries }) => void progress.push(entries) });

    expect(report).toMatchObject({ size: 305, problems: [], omitted: 0, blobs: 2 });
    expect(report.entries).toEqual({ site: 1, 'key-added': 2, stored: 300, observed: 1, polled: 1 });
    expect(progress).toEqual([256, 305]);
  });

  it('finds every tile and bundle in which one bit was turned, or that is gone', async () => {
    const { store } = await healthy();

    for (const path of ['tile/0/000', 'tile/0/001.p/49', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/49']) {
      for (const change of [turned, () => undefined]) {
        const whole = await bent(store, tileKey(ORIGIN, path), path === 'tile/1/000.p/1' && change === turned ? (b) => b.map((byte) => byte ^ 1) : change);
        expect((await check(whole)).problems[0], path).toMatchObject({ code: 'tile' });
      }
    }
  });

  it('finds a checkpoint that is not signed, or missing', async () => {
    const { store } = await healthy();

    expect((await check(await bent(store, checkpointKey(ORIGIN), turned))).problems).toMatchObject([{ code: 'checkpoint' }]);
    expect((await check(await bent(store, checkpointKey(ORIGIN), () => undefined))).problems).toMatchObject([{ code: 'checkpoint' }]);
    expect((await check(store, { verifierKey: testNoteSigner('other').verifierKey })).problems).toMatchObject([{ code: 'checkpoint' }]);
  });

  it('finds a blob that rotted, by its digest alone, and one that is gone', async () => {
    const { store, wheel, document } = await healthy();
    const keyOf = (digest: string) => `blobs/sha256/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest}`;
    const find = async (digest: string) => (await Array.fromAsync(store.objects.list(keyOf(digest))))[0] ?? checkpointKey(ORIGIN);
    const rotten = await bent(store, await find(wheel), () => bytes('A wheel'));
    const gone = await bent(store, await find(document), () => undefined);

    expect((await check(rotten)).problems).toMatchObject([{ code: 'blob', index: 4 }]);
    expect((await check(rotten, { blobCheck: 'presence' })).problems).toEqual([]);
    expect((await check(gone, { blobCheck: 'presence' })).problems).toMatchObject([{ code: 'blob' }]);
    expect((await check(gone, { blobCheck: 'none' })).problems).toEqual([]);
    expect((await check(gone, { blobs: [gone.blobs, store.blobs] })).problems).toEqual([]);
  });

  it('finds an envelope that is not stored, or is no envelope', async () => {
    const { fact, leaf } = statement('click');
    const store = await signedLog([...opening, leaf, by(fact)]);

    expect((await check(store)).problems).toMatchObject([{ code: 'envelope', index: 4, message: expect.stringContaining('not stored') }]);

    await store.objects.putOnce(envelopeKey(sha256('envelope of click')), bytes('{}'));
    expect((await check(store)).problems).toMatchObject([{ code: 'envelope', message: expect.stringContaining("can't be read") }]);
  });

  it('keeps no more problems than it was told, and counts the rest', async () => {
    const store = await signedLog([...opening, ...Array.from({ length: 50 }, () => by(storedFact('again')))]);

    const report = await check(store, { blobCheck: 'none', maxProblems: 10 });

    expect(report.problems).toHaveLength(10);
    expect(report.omitted).toBe(39);
  });
});

describe('checking what a sequencer signed', () => {
  it('finds a fact that stands there twice', async () => {
    expect(await problemsOf([by(storedFact('a')), by(storedFact('b')), by(storedFact('a', { sizeBytes: 9 }))])).toEqual(['key-reused 5']);
  });

  it('finds a broken chain of states', async () => {
    const first = observedFact('a');
    expect(await problemsOf([by(first), by(observedFact('b', factKey(first))), by(observedFact('c', factKey(first)))])).toEqual(['stale-prev 5']);
    expect(await problemsOf([by(observedFact('b', factKey(first)))])).toEqual(['stale-prev 3']);
  });

  it('finds a time that goes back', async () => {
    expect(await problemsOf([by(storedFact('a')), by(storedFact('b'), workerSigner.keyId, toInstant(5)), by(storedFact('c'))])).toEqual(['time 4']);
  });

  it('finds an author that was not registered, may not, or was retired', async () => {
    const retired: Fact = { kind: 'key-retired', subject: workerSigner.keyId, body: { reason: 'rotated' } };

    expect(await problemsOf([by(storedFact('a'), 'SHA256:stranger')])).toEqual(['author 3']);
    expect(await problemsOf([by({ kind: 'policy', subject: 'site', body: {} })])).toEqual(['author 3']);
    expect(await problemsOf([by(storedFact('a')), by(retired, sequencerSigner.keyId), by(storedFact('b'))])).toEqual(['author 5']);
  });

  it('does not let an unauthorized entry register a key', async () => {
    const [, worker] = testAuthority().keys;
    const smuggled: Fact = { kind: 'key-added', subject: 'SHA256:mine', body: { ...worker?.body } };

    expect(await problemsOf([by(smuggled, 'SHA256:stranger'), by(storedFact('a'), 'SHA256:mine')])).toEqual(['author 3', 'author 4']);
  });

  it('finds a statement and its fact apart', async () => {
    const { fact, leaf } = statement('click');

    expect(await problemsOf([leaf, by(fact)])).toEqual([]);
    expect(await problemsOf([by(fact)])).toEqual(['leaf 3']);
    expect(await problemsOf([leaf, by(storedFact('a'))])).toEqual(['leaf 3']);
    expect(await problemsOf([leaf, statement('other').leaf, by(fact)])).toEqual(['leaf 3', 'leaf 5']);
  });

  it('finds entries that are no canonical facts, and critical kinds that it does not know', async () => {
    const unknown = bytes(`{"at":"${at}","author":"k","critical":true,"granary":1,"kind":"later"}`);
    const optional = bytes(`{"at":"${at}","author":"k","granary":1,"kind":"later"}`);

    expect(await problemsOf([bytes('{"granary": 1}'), unknown, optional])).toEqual(['entry 3', 'unknown-critical 4']);
  });

  it('finds that the log is of another site', async () => {
    const store = await signedLog([by(siteFact(testAuthority(), 'other.example', signer.verifierKey), sequencerSigner.keyId)]);

    expect((await check(store)).problems).toMatchObject([{ code: 'site', index: 0 }]);
  });
});
