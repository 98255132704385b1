import { checkpointKey, derivedKey, envelopeKey, type ObjectKey, pendingKey, stagingKey, tileKey } from '@granary/core/layout';
import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import type { Store } from '../ports/index.ts';
import { blobStoreContract } from './blob-store.ts';
import { storeFaultContract } from './object-store-faults.ts';
import type { StoreSubject } from './store-subject.ts';

const ORIGIN = 'log.example';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const someKey = (name: string): ObjectKey => envelopeKey(sha256(name));

/** What every Store must do; call it inside a `describe` of the driver. */
export function objectStoreContract(subject: StoreSubject): void {
  describe('write-once objects', () => writeOnceContract(subject));
  describe('mutable objects', () => mutableContract(subject));
  describe('listing', () => listingContract(subject));
  describe('blobs', () => blobStoreContract(subject.open));
  describe('a fault in any step of a write', () => storeFaultContract(subject.openFaulty));
}

function writeOnceContract({ open }: StoreSubject): void {
  it('gives back what was put', async () => {
    const { objects } = await open();

    await objects.putOnce(someKey('a'), bytes('first'));

    expect(await objects.get(someKey('a'), 100)).toEqual(bytes('first'));
    expect(await objects.get(someKey('b'), 100)).toBeUndefined();
  });

  it('keeps an empty object', async () => {
    const { objects } = await open();

    await objects.putOnce(someKey('a'), new Uint8Array());

    expect(await objects.get(someKey('a'), 0)).toEqual(new Uint8Array());
  });

  it('takes the same bytes again and refuses others, of the same length too', async () => {
    const { objects } = await open();
    await objects.putOnce(someKey('a'), bytes('first'));

    await objects.putOnce(someKey('a'), bytes('first'));

    await expect(objects.putOnce(someKey('a'), bytes('other'))).rejects.toMatchObject({ name: 'StoreError', code: 'key-taken' });
    await expect(objects.putOnce(someKey('a'), bytes('longer than first'))).rejects.toMatchObject({ code: 'key-taken' });
    expect(await objects.get(someKey('a'), 100)).toEqual(bytes('first'));
  });

  it('lets exactly one of many writers of different bytes win', async () => {
    const { objects } = await open();
    const bodies = Array.from({ length: 20 }, (_, n) => bytes(`writer ${n}`));

    const outcomes = await Promise.allSettled(bodies.map((body) => objects.putOnce(someKey('a'), body)));

    const winners = bodies.filter((_, n) => outcomes[n]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(await objects.get(someKey('a'), 100)).toEqual(winners[0]);
  });

  it('lets many writers of the same bytes succeed', async () => {
    const { objects } = await open();

    await Promise.all(Array.from({ length: 20 }, () => objects.putOnce(someKey('a'), bytes('same'))));

    expect(await objects.get(someKey('a'), 100)).toEqual(bytes('same'));
  });

  it('does not read more than was asked for', async () => {
    const { objects } = await open();
    await objects.putOnce(someKey('a'), bytes('first'));

    expect(await objects.get(someKey('a'), 5)).toEqual(bytes('first'));
    await expect(objects.get(someKey('a'), 4)).rejects.toMatchObject({ code: 'too-large' });
  });

  it('is not changed by what callers do to their arrays afterwards', async () => {
    const { objects } = await open();
    const mine = bytes('first');
    await objects.putOnce(someKey('a'), mine);

    mine.fill(0);
    (await objects.get(someKey('a'), 100))?.fill(0);

    expect(await objects.get(someKey('a'), 100)).toEqual(bytes('first'));
  });
}

function mutableContract({ open }: StoreSubject): void {
  it('replaces a checkpoint, and makes it when there is none', async () => {
    const { objects, mutable } = await open();

    await mutable.replace(checkpointKey(ORIGIN), bytes('one'));
    await mutable.replace(checkpointKey(ORIGIN), bytes('two'));

    expect(await objects.get(checkpointKey(ORIGIN), 100)).toEqual(bytes('two'));
  });

  it('shows a reader the old bytes or the new, never a mixture', async () => {
    const { objects, mutable } = await open();
    const key = checkpointKey(ORIGIN);
    const versions = Array.from({ length: 20 }, (_, n) => String(n).padStart(2, '0').repeat(5000));
    await mutable.replace(key, bytes(versions[0] ?? ''));

    const writing = (async () => {
      for (const version of versions) await mutable.replace(key, bytes(version));
    })();
    const seen = await Promise.all(Array.from({ length: 50 }, () => objects.get(key, 100_000)));
    await writing;

    for (const body of seen) expect(versions).toContain(new TextDecoder().decode(body));
  });

  it('removes a pending fact, and what is not there', async () => {
    const { objects, mutable } = await open();
    const key = pendingKey(sha256('fact'), sha256('content'));
    await objects.putOnce(key, bytes('fact'));

    await mutable.remove(key);
    await mutable.remove(key);

    expect(await objects.get(key, 100)).toBeUndefined();
  });

  it('lets a removed key be put again with other bytes', async () => {
    const { objects, mutable } = await open();
    const key = derivedKey('catalog/1');
    await objects.putOnce(key, bytes('one'));
    await mutable.remove(key);

    await objects.putOnce(key, bytes('two'));

    expect(await objects.get(key, 100)).toEqual(bytes('two'));
  });

  it('neither replaces nor removes what is immutable', async () => {
    const { objects, mutable } = await open();
    const key = tileKey(ORIGIN, 'tile/0/000');
    await objects.putOnce(key, bytes('tile'));

    await expect(mutable.replace(key, bytes('other'))).rejects.toMatchObject({ code: 'immutable' });
    await expect(mutable.remove(key)).rejects.toMatchObject({ code: 'immutable' });
    expect(await objects.get(key, 100)).toEqual(bytes('tile'));
  });
}

function listingContract({ open }: StoreSubject): void {
  const keys = [
    tileKey(ORIGIN, 'tile/0/000'),
    tileKey(ORIGIN, 'tile/0/001.p/5'),
    tileKey(ORIGIN, 'tile/0-x'),
    tileKey(ORIGIN, 'tile/0.x'),
    tileKey(ORIGIN, 'tile/entries/x001/234.p/5'),
    stagingKey(ORIGIN, 5, sha256('root')),
    checkpointKey('other.example'),
  ];

  async function filled(): Promise<Store> {
    const store = await open();
    for (const key of keys) await store.objects.putOnce(key, bytes(key));
    return store;
  }

  it('lists all keys by code point, folders or not', async () => {
    const { objects } = await filled();

    expect(await Array.fromAsync(objects.list(''))).toEqual([...keys].sort());
  });

  it('lists what begins with a prefix, whole segments or not', async () => {
    const { objects } = await filled();
    const expected = (prefix: string): ObjectKey[] => keys.filter((key) => key.startsWith(prefix)).sort();

    for (const prefix of [`ledgers/${ORIGIN}/`, `ledgers/${ORIGIN}/tile/0`, `ledgers/${ORIGIN}/tile/0/`, 'ledgers/o', checkpointKey('other.example')]) {
      expect(await Array.fromAsync(objects.list(prefix))).toEqual(expected(prefix));
    }
  });

  it('lists nothing below a prefix that is nowhere, or leads out', async () => {
    const { objects } = await filled();

    for (const prefix of ['pending/', 'ledgers/none/', '../', '/', 'ledgers/../', `${checkpointKey('other.example')}/`]) {
      expect(await Array.fromAsync(objects.list(prefix))).toEqual([]);
    }
  });
}
