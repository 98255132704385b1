import { createHash } from 'node:crypto';
import { blobKey } from '@granary/core/layout';
import { sha256 } from '@granary/core/model';
import { expect, it } from 'vitest';
import type { BlobStore, Store } from '../ports/index.ts';

const MAX = { maxBytes: 1_000_000 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');

async function* stream(...parts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield bytes(part);
}
async function* breaking(part: string): AsyncIterable<Uint8Array> {
  yield bytes(part);
  throw new Error('the source broke');
}
async function* endless(): AsyncIterable<Uint8Array> {
  for (;;) yield new Uint8Array(65_536);
}
async function text(blobs: BlobStore, of: string, range?: { start: number; end: number }): Promise<string | undefined> {
  const found = await blobs.open(sha256(of), range);
  return found && Buffer.concat(await Array.fromAsync(found.stream)).toString();
}
async function isEmpty({ objects }: Store): Promise<boolean> {
  return (await Array.fromAsync(objects.list(''))).length === 0;
}

/** What every BlobStore must do. */
export function blobStoreContract(open: () => Promise<Store>): void {
  it('stores a stream and says its digest and size', async () => {
    const { blobs, objects } = await open();

    const stored = await blobs.put(stream('hello ', '', 'world'), MAX);

    expect(stored).toEqual({ sha256: sha256('hello world'), sizeBytes: 11 });
    expect(await blobs.size(stored.sha256)).toBe(11);
    expect(await blobs.read(stored.sha256, 11)).toEqual(bytes('hello world'));
    expect(await objects.get(blobKey(stored.sha256), 11)).toEqual(bytes('hello world'));
  });

  it('stores bytes, and nothing at all', async () => {
    const { blobs } = await open();

    expect(await blobs.put(bytes('x'), MAX)).toEqual({ sha256: sha256('x'), sizeBytes: 1 });
    expect(await blobs.put(stream(), MAX)).toEqual({ sha256: sha256(''), sizeBytes: 0 });
    expect(await text(blobs, '')).toBe('');
  });

  it('does not know what was never put', async () => {
    const { blobs } = await open();

    expect(await blobs.size(sha256('x'))).toBeUndefined();
    expect(await blobs.open(sha256('x'))).toBeUndefined();
    expect(await blobs.read(sha256('x'), 10)).toBeUndefined();
  });

  it('keeps one blob when the same bytes come twice, at the same time too', async () => {
    const { blobs, objects } = await open();

    await Promise.all(Array.from({ length: 10 }, () => blobs.put(stream('sa', 'me'), MAX)));
    await blobs.put(bytes('same'), MAX);

    expect(await Array.fromAsync(objects.list(''))).toEqual([blobKey(sha256('same'))]);
  });

  it('reads ranges, and no further than the end', async () => {
    const { blobs } = await open();
    await blobs.put(bytes('0123456789'), MAX);

    expect(await text(blobs, '0123456789', { start: 2, end: 5 })).toBe('234');
    expect(await text(blobs, '0123456789', { start: 8, end: 99 })).toBe('89');
    expect(await text(blobs, '0123456789', { start: 4, end: 4 })).toBe('');
    expect(await text(blobs, '0123456789', { start: 10, end: 12 })).toBe('');
    expect((await blobs.open(sha256('0123456789'), { start: 2, end: 5 }))?.sizeBytes).toBe(10);
  });

  it('streams what is larger than any buffer', async () => {
    const { blobs } = await open();
    const large = new Uint8Array(900_001).map((_, n) => n % 251);
    const { sha256: digest } = await blobs.put(large, MAX);

    const found = await blobs.open(digest, { start: 1, end: 900_000 });

    expect(Buffer.compare(Buffer.concat(await Array.fromAsync(found?.stream ?? [])), large.subarray(1, 900_000))).toBe(0);
    await expect(blobs.read(digest, 900_000)).rejects.toMatchObject({ code: 'too-large' });
  });

  it('accepts every digest that holds', async () => {
    const { blobs } = await open();
    const digests = { sha256: sha256('x'), sha512: hex('sha512', 'x'), sha384: hex('sha384', 'x'), sha1: hex('sha1', 'x'), md5: hex('md5', 'x') };

    expect(await blobs.put(stream('x'), { ...MAX, digests, sizeBytes: 1 })).toEqual({ sha256: digests.sha256, sizeBytes: 1 });
  });

  for (const algorithm of ['sha256', 'sha512', 'sha384', 'sha1', 'md5']) {
    it(`keeps nothing when the ${algorithm} is another`, async () => {
      const store = await open();
      const digests = { sha256: sha256('x'), [algorithm]: hex(algorithm, 'y') };

      await expect(store.blobs.put(stream('x'), { ...MAX, digests })).rejects.toMatchObject({ name: 'StoreError', code: 'digest-mismatch' });
      expect(await isEmpty(store)).toBe(true);
    });
  }

  it('keeps nothing when there are more or fewer bytes than expected', async () => {
    const store = await open();

    await expect(store.blobs.put(stream('abc'), { ...MAX, sizeBytes: 4 })).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(store.blobs.put(stream('abc'), { ...MAX, sizeBytes: 2 })).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(await isEmpty(store)).toBe(true);
  });

  it('stops a source that does not end, and closes it', async () => {
    const store = await open();
    let closed = false;
    async function* watched(): AsyncIterable<Uint8Array> {
      try {
        yield* endless();
      } finally {
        closed = true;
      }
    }

    await expect(store.blobs.put(watched(), MAX)).rejects.toMatchObject({ code: 'too-large' });
    expect(closed).toBe(true);
    expect(await isEmpty(store)).toBe(true);
  });

  it('passes on the error of a source that breaks, and keeps nothing', async () => {
    const store = await open();

    await expect(store.blobs.put(breaking('part'), MAX)).rejects.toThrow('the source broke');
    expect(await isEmpty(store)).toBe(true);
    expect(await store.blobs.size(sha256('part'))).toBeUndefined();
  });
}
