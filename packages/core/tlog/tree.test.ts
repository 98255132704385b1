import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appendLeaves,
  consistencyProof,
  decodeBundle,
  EMPTY_EDGE,
  emptyRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  parseTilePath,
  type ReadTile,
  readEdge,
  rootAtSize,
  TILE_WIDTH,
  type Tile,
  type TreeEdge,
  tileAt,
  tilePath,
  verifiedTiles,
  verifyConsistency,
  verifyInclusion,
} from './index.ts';

const leaf = (index: number) => new TextEncoder().encode(`leaf ${index}`);
const leaves = (start: number, end: number) => Array.from({ length: end - start }, (_, at) => leaf(start + at));
const texts = (list: readonly Uint8Array[]) => list.map((bytes) => new TextDecoder().decode(bytes));

/** RFC 6962 2.1, word for word: the oracle that the tiles are held against. */
function naiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes;
  if (first === undefined) return emptyRoot();
  if (hashes.length === 1) return first;
  let k = 1;
  while (k * 2 < hashes.length) k *= 2;
  return nodeHash(naiveRoot(hashes.slice(0, k)), naiveRoot(hashes.slice(k)));
}

interface Log {
  readonly edge: TreeEdge;
  readonly root: Uint8Array;
  readonly tiles: Map<string, Uint8Array>;
  readonly read: ReadTile;
}

function logOf(batches: readonly number[]): Log {
  const tiles = new Map<string, Uint8Array>();
  let edge = EMPTY_EDGE;
  let root = emptyRoot();
  for (const count of batches) {
    const appended = appendLeaves(edge, leaves(edge.size, edge.size + count));
    for (const { tile, bytes } of appended.tiles) {
      expect(tiles.has(tilePath(tile)), `${tilePath(tile)} is written once`).toBe(false);
      tiles.set(tilePath(tile), bytes);
    }
    ({ edge, root } = appended);
  }
  return { edge, root, tiles, read: async (tile: Tile) => tiles.get(tilePath(tile)) };
}

const batches = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });

describe('a log in tiles', () => {
  it('has the root of RFC 6962, however it was cut into batches', () => {
    fc.assert(
      fc.property(batches, (sizes) => {
        const { edge, root } = logOf(sizes);

        expect(root).toEqual(naiveRoot(leaves(0, edge.size).map(leafHash)));
      }),
      { numRuns: 30 },
    );
  });

  it('goes on from its right edge as it was read back', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (sizes) => {
        const { edge, root, read } = logOf(sizes);

        const again = await readEdge(read, edge.size, root);

        expect(appendLeaves(again, leaves(edge.size, edge.size + 300)).root).toEqual(appendLeaves(edge, leaves(edge.size, edge.size + 300)).root);
        expect(again.bundle).toEqual(new Uint8Array(edge.bundle));
      }),
      { numRuns: 20 },
    );
  });

  it('holds its entries in bundles of 256', async () => {
    const { edge, root, read } = logOf([300, 300]);

    const { leaves: bundle } = verifiedTiles(read, edge.size, root);

    expect(texts(await bundle(0))).toEqual(texts(leaves(0, 256)));
    expect(texts(await bundle(2))).toEqual(texts(leaves(512, 600)));
  });

  it('proves every leaf and every earlier size', async () => {
    const { edge, root, read } = logOf([1, 255, 1, 63]);
    const tiles = verifiedTiles(read, edge.size, root);

    for (let index = 0; index < edge.size; index++) {
      const inclusion = { index, size: edge.size, root, leafHash: leafHash(leaf(index)), proof: await inclusionProof(tiles, index) };
      expect(verifyInclusion(inclusion)).toBe(true);
      const oldRoot = await rootAtSize(tiles, index);
      const consistency = { oldSize: index, oldRoot, size: edge.size, root, proof: await consistencyProof(tiles, index) };
      expect(verifyConsistency(consistency)).toBe(true);
    }
  });

  it('proves leaves of three levels of tiles', async () => {
    const { edge, root, read } = logOf([65_536 + 256 + 3]);
    const tiles = verifiedTiles(read, edge.size, root);

    for (const index of [0, 255, 256, 65_535, 65_536, 65_791, 65_794]) {
      const proof = await inclusionProof(tiles, index);
      expect(verifyInclusion({ index, size: edge.size, root, leafHash: leafHash(leaf(index)), proof })).toBe(true);
    }
    for (const oldSize of [1, 256, 257, 65_536, 65_537, 65_792]) {
      const oldRoot = await rootAtSize(tiles, oldSize);
      expect(verifyConsistency({ oldSize, oldRoot, size: edge.size, root, proof: await consistencyProof(tiles, oldSize) })).toBe(true);
    }
  });

  it('refuses a proof of anything else', async () => {
    const { edge, root, read } = logOf([600]);
    const tiles = verifiedTiles(read, edge.size, root);
    const claim = { index: 77, size: edge.size, root, leafHash: leafHash(leaf(77)), proof: await inclusionProof(tiles, 77) };
    const oldRoot = await rootAtSize(tiles, 300);
    const extension = { oldSize: 300, oldRoot, size: edge.size, root, proof: await consistencyProof(tiles, 300) };

    expect(verifyInclusion(claim)).toBe(true);
    expect(verifyInclusion({ ...claim, index: 78 })).toBe(false);
    expect(verifyInclusion({ ...claim, size: 40 })).toBe(false);
    expect(verifyInclusion({ ...claim, leafHash: leafHash(leaf(78)) })).toBe(false);
    expect(verifyInclusion({ ...claim, proof: claim.proof.slice(1) })).toBe(false);
    expect(verifyInclusion({ ...claim, proof: [...claim.proof, root] })).toBe(false);
    expect(verifyConsistency(extension)).toBe(true);
    expect(verifyConsistency({ ...extension, oldSize: 301 })).toBe(false);
    expect(verifyConsistency({ ...extension, oldRoot: root })).toBe(false);
    expect(verifyConsistency({ ...extension, proof: extension.proof.slice(1) })).toBe(false);
    expect(verifyConsistency({ ...extension, oldSize: edge.size, oldRoot, proof: [] })).toBe(false);
  });

  it('refuses a tile, an edge or a bundle in which one bit was turned', async () => {
    const { edge, root, tiles } = logOf([65_536 + 300]);

    for (const path of ['tile/0/000', 'tile/1/000', 'tile/2/000.p/1', 'tile/0/257.p/44', 'tile/entries/003']) {
      const bent = new Map(tiles).set(
        path,
        Uint8Array.from(tiles.get(path) ?? [], (byte, at) => (at === 9 ? byte ^ 1 : byte)),
      );
      const reader = verifiedTiles(async (tile) => bent.get(tilePath(tile)), edge.size, root);
      const everything = Promise.all([reader.leaves(3), reader.leaves(0), reader.hashes(0, 0)]);
      await expect(everything, path).rejects.toMatchObject({ code: 'tile-mismatch' });
    }
  });

  it('reads the full tile when the partial one is gone', async () => {
    const { tiles } = logOf([300, 300]);
    const { root } = logOf([300]);
    const full = async (tile: Tile) => (tile.width === TILE_WIDTH ? tiles.get(tilePath(tile)) : tile.level === 1 ? tiles.get(tilePath(tile)) : undefined);

    expect(texts(await verifiedTiles(full, 300, root).leaves(1))).toEqual(texts(leaves(256, 300)));
  });

  it('says which tile is missing', async () => {
    const { edge, root, tiles } = logOf([600]);
    tiles.delete('tile/0/001');

    const reader = verifiedTiles(async (tile) => tiles.get(tilePath(tile)), edge.size, root);

    await expect(reader.hashes(0, 1)).rejects.toMatchObject({ code: 'tile-missing', message: 'tile/0/001: not there' });
  });
});

describe('an entry bundle', () => {
  it('is refused when it is cut off, has too few entries or too many bytes', () => {
    const bundle = Uint8Array.of(0, 1, 65, 0, 1, 66);

    expect(decodeBundle(bundle, 2)).toHaveLength(2);
    for (const [bytes, width] of [
      [bundle.subarray(0, 5), 2],
      [bundle.subarray(0, 4), 2],
      [bundle, 3],
      [bundle, 1],
    ] as const) {
      expect(() => decodeBundle(bytes, width)).toThrow(expect.objectContaining({ code: 'bundle-malformed' }));
    }
  });

  it('holds no entry above 65535 bytes', () => {
    expect(() => appendLeaves(EMPTY_EDGE, [new Uint8Array(65_536)])).toThrow(/at most 65535/);
  });
});

describe('a tile path', () => {
  it('is the one of C2SP tlog-tiles', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 1_234, width: 5 })).toBe('tile/entries/x001/234.p/5');
    expect(tilePath({ level: 1, index: 0, width: 256 })).toBe('tile/1/000');
  });

  it('survives a round trip, and has one spelling', () => {
    const level = fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 6 }));
    const anyTile = fc.record({ level, index: fc.nat({ max: 2 ** 45 }), width: fc.integer({ min: 1, max: 256 }) });
    fc.assert(fc.property(anyTile, (tile) => void expect(parseTilePath(tilePath(tile))).toEqual(tile)));
    for (const path of ['tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/01', 'tile/0/x000/001', 'tile/00/000', 'tile/9/000', 'tile/0/1', 'tile/0/../1']) {
      expect(parseTilePath(path), path).toBeUndefined();
    }
  });

  it('names no tile beyond the log', () => {
    expect(tileAt(0, 1, 256)).toBeUndefined();
    expect(tileAt(0, 1, 257)).toEqual({ level: 0, index: 1, width: 1 });
  });
});
