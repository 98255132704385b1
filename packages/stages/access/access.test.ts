import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type ManualClock, manualClock, memoryCatalog, memoryStore } from '@granary/contract/memory';
import type { CatalogFact, FactSink, NoteSigner, Store } from '@granary/contract/ports';
import { formatReaderToken, MAX_READERS, parseReaderId, type ReaderId } from '@granary/core/access';
import { READERS_KEY } from '@granary/core/layout';
import { encodeEntry, type Fact, factKey, sha256 } from '@granary/core/model';
import { parseVerifierKey, type VerifierKey, verifierKey } from '@granary/core/tlog';
import { beforeEach, expect, it } from 'vitest';
import { addReader, openPublishedReaders, openReaderPublisher, readersIn, readersOfCatalog, removeReader } from './index.ts';

const ORIGIN = 'ledger.example';
const tokenOf = (number: number) => sha256(formatReaderToken(idOf(number), new Uint8Array(32).fill(number)));

let clock: ManualClock;
let store: Store;
let catalog: ReturnType<typeof memoryCatalog>;
let ports: { readonly catalog: typeof catalog; readonly sink: FactSink };
let signer: NoteSigner;
let publish: () => Promise<void>;

beforeEach(() => {
  clock = manualClock();
  store = memoryStore();
  catalog = memoryCatalog();
  ports = { catalog, sink: { submit: async (facts) => recordAll(facts.map((fact) => ('leaf' in fact ? fact.fact : fact))) } };
  signer = makeSigner();
  publish = openReaderPublisher({ store, catalog, signer, clock });
});

it('lets in whom it added, and no longer whom it removed, by name or id', async () => {
  for (const [number, name] of [
    [1, 'build farm'],
    [2, 'laptops'],
    [3, 'ci'],
  ] as const)
    await addReader(ports, { id: idOf(number), name, token: tokenOf(number) });

  const removed = [await removeReader(ports, 'laptops'), await removeReader(ports, idOf(3)), await removeReader(ports, 'nobody')];

  expect(removed.map((change) => change?.reader.name)).toEqual(['laptops', 'ci', undefined]);
  expect(readersIn(catalog).map(({ id, name }) => [id, name])).toEqual([[idOf(1), 'build farm']]);
  expect([1, 2, 3].map((number) => readersOfCatalog(catalog).tokenOf(idOf(number)))).toEqual([tokenOf(1), undefined, undefined]);
});

it('refuses names that people would mistake, and gives a removed one again', async () => {
  const add = async (number: number, name: string) => (await addReader(ports, { id: idOf(number), name, token: tokenOf(number) })).type;
  await add(1, 'ci');

  expect([await add(2, 'ci'), await add(2, ''), await add(2, 'a\nb'), await add(2, 'x'.repeat(65)), await add(2, '\u001b[2J')]).toEqual([
    'name-taken',
    ...Array(4).fill('bad-name'),
  ]);
  await removeReader(ports, 'ci');
  expect(await add(2, 'ci')).toBe('changed');
});

it('refuses more readers than a list holds', async () => {
  const facts = Array.from({ length: MAX_READERS }, (_, index): CatalogFact => {
    const fact = readerFact(index);
    return { origin: 'private.example', index, key: factKey(fact), entry: { ...fact, granary: 1, author: 'author', at: clock.now() } };
  });
  const full = (kept: readonly CatalogFact[]) => ({ ...ports, catalog: { all: () => kept, current: () => undefined } });
  const one = { id: idOf(MAX_READERS), name: 'one more', token: tokenOf(1) };

  expect([(await addReader(full(facts), one)).type, (await addReader(full(facts.slice(1)), one)).type]).toEqual(['too-many', 'changed']);
});

it('tells nodes by a list that holds no names, as soon as something changed', async () => {
  const node = openPublishedReaders(store.objects, keyOf(signer));
  await publish();
  await node.refresh();
  const before = [await listBytes(), node.missing() !== undefined];

  await addReader(ports, { id: idOf(1), name: 'build farm', token: tokenOf(1) });
  await publish();
  await node.refresh();
  const added = [node.tokenOf(idOf(1)), node.missing()];
  const first = node.revision();
  await removeReader(ports, 'build farm');
  await publish();
  await node.refresh();

  expect(before).toEqual([undefined, true]);
  expect(added).toEqual([tokenOf(1), undefined]);
  expect([node.tokenOf(idOf(1)), node.revision() > first]).toEqual([undefined, true]);
  expect(Buffer.from((await listBytes()) ?? []).toString()).not.toContain('farm');
});

it('makes the list again when it is gone, altered or older, and leaves a newer one', async () => {
  await addReader(ports, { id: idOf(1), name: 'one', token: tokenOf(1) });
  await publish();
  const older = await listBytes();
  await addReader(ports, { id: idOf(2), name: 'two', token: tokenOf(2) });
  await publish();
  const newest = await listBytes();

  for (const bytes of [undefined, older, new Uint8Array(3), altered(newest)]) {
    if (bytes === undefined) await store.mutable.remove(READERS_KEY);
    else await store.mutable.replace(READERS_KEY, bytes);
    await clock.advance(20_000);
    await publish();
    expect(await listBytes()).toEqual(newest);
  }
  // A sequencer that stood by knows less.
  const behind = memoryCatalog();
  behind.fold('private.example', [{ index: 0, bytes: encodeEntry(readerFact(1), 'author', clock.now()) }]);
  await openReaderPublisher({ store, catalog: behind, signer, clock })();
  expect(await listBytes()).toEqual(newest);
});

it('takes nothing that another key signed, that is older, or that is altered', async () => {
  const node = openPublishedReaders(store.objects, keyOf(signer));
  await addReader(ports, { id: idOf(1), name: 'one', token: tokenOf(1) });
  await publish();
  const older = (await listBytes()) ?? new Uint8Array();
  await removeReader(ports, 'one');
  await addReader(ports, { id: idOf(2), name: 'two', token: tokenOf(2) });
  await publish();
  await node.refresh();

  await store.mutable.replace(READERS_KEY, older);
  await node.refresh();
  await store.mutable.replace(READERS_KEY, altered(older));
  await node.refresh();
  await store.mutable.remove(READERS_KEY);
  await openReaderPublisher({ store, catalog, signer: makeSigner(), clock })();
  const strange = openPublishedReaders(store.objects, keyOf(signer));
  await Promise.all([node.refresh(), strange.refresh()]);

  expect([node.tokenOf(idOf(1)), node.tokenOf(idOf(2))]).toEqual([undefined, tokenOf(2)]);
  expect(strange.missing()).toContain('granary reader add');
});

function recordAll(facts: readonly Fact[]): void {
  const origin = 'private.example';
  const start = catalog.size(origin);
  catalog.fold(
    origin,
    facts.map((fact, at) => ({ index: start + at, bytes: encodeEntry(fact, 'author', clock.now()) })),
  );
}

function readerFact(number: number): Fact {
  return { kind: 'reader', subject: idOf(number), body: { state: 'active', name: `reader ${number}`, token: sha256(String(number)) } };
}

async function listBytes(): Promise<Uint8Array | undefined> {
  return await store.objects.get(READERS_KEY, 1_000_000);
}

function altered(bytes: Uint8Array | undefined): Uint8Array {
  return Buffer.from(
    Buffer.from(bytes ?? [])
      .toString()
      .replace(idOf(1), idOf(9)),
  );
}

function idOf(number: number): ReaderId {
  const id = parseReaderId(number.toString(16).padStart(16, '0'));
  if (id === undefined) throw new Error(String(number));
  return id;
}

function makeSigner(): NoteSigner {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key: KeyObject = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const raw = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
  return { verifierKey: verifierKey(ORIGIN, raw).text, sign: async (bytes) => new Uint8Array(sign(null, bytes, key)) };
}

function keyOf({ verifierKey: text }: NoteSigner): VerifierKey {
  const key = parseVerifierKey(text);
  if (key === undefined) throw new Error(text);
  return key;
}
