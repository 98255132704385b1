import { memoryStore } from '@granary/contract/memory';
import { sha256 } from '@granary/core/model';
import { expect, it } from 'vitest';
import { holdSmall } from './hold-small.ts';

const MOST = 65_536;

it.each([
  ['nothing', [], true],
  ['64 KiB in one piece', [MOST], true],
  ['64 KiB in several', [30_000, 30_000, MOST - 60_000], true],
  ['a byte more in one piece', [MOST + 1], false],
  ['a byte more in two', [MOST, 1], false],
  ['many pieces', [40_000, 40_000, 40_000], false],
] as const)('holds %s in memory or has it in the store, never both', async (_, sizes, isHeld) => {
  const { blobs } = memoryStore();
  const pieces = sizes.map((size, number) => Buffer.alloc(size, `${number} `));
  const all = Buffer.concat(pieces);
  const { put, inMemory } = holdSmall(blobs);

  const blob = await put(from(pieces).source, { digests: { sha256: sha256(all) }, maxBytes: 1e6 });

  expect(blob).toEqual({ sha256: sha256(all), sizeBytes: all.length });
  expect([inMemory(), await blobs.read(blob.sha256, 1e6)].map((bytes) => bytes && Buffer.from(bytes))).toEqual(isHeld ? [all, undefined] : [undefined, all]);
});

it('takes bytes that are there already as well', async () => {
  const { put, inMemory } = holdSmall(memoryStore().blobs);

  await put(Buffer.from('granary'), { maxBytes: 7 });

  expect(Buffer.from(inMemory() ?? [])).toEqual(Buffer.from('granary'));
});

it.each([
  ['more than may come', { maxBytes: 6 }, 'too-large'],
  ['another size', { maxBytes: 100, sizeBytes: 8 }, 'digest-mismatch'],
  ['other bytes', { maxBytes: 100, digests: { sha512: 'f'.repeat(128) } }, 'digest-mismatch'],
])('holds nothing that has %s', async (_, expected, code) => {
  const { put, inMemory } = holdSmall(memoryStore().blobs);

  await expect(put(Buffer.from('granary'), expected)).rejects.toMatchObject({ code });

  expect(inMemory()).toBe(undefined);
});

it('lets go of its source where the store does not read it', async () => {
  const { blobs } = memoryStore();
  const full = async () => {
    throw new Error('disk full');
  };
  const { source, isOpen } = from([Buffer.alloc(MOST), Buffer.alloc(MOST), Buffer.alloc(MOST)]);

  await expect(holdSmall({ ...blobs, put: full }).put(source, { maxBytes: 1e6 })).rejects.toThrow('disk full');

  expect(isOpen()).toBe(false);
});

it('lets go of its source where that is larger than may come, before all of it came', async () => {
  const { source, isOpen } = from(Array.from({ length: 1000 }, () => Buffer.alloc(1000)));

  await expect(holdSmall(memoryStore().blobs).put(source, { maxBytes: 70_000 })).rejects.toMatchObject({ code: 'too-large' });

  expect(isOpen()).toBe(false);
});

function from(pieces: readonly Uint8Array[]) {
  let isOpen = false;
  async function* source() {
    isOpen = true;
    try {
      yield* pieces;
    } finally {
      isOpen = false;
    }
  }
  return { source: source(), isOpen: () => isOpen };
}
