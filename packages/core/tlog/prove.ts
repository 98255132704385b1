import { emptyRoot, HASH_BYTES, nodeHash, rootOfHashes, splitPoint } from './merkle-hash.ts';
import { TILE_WIDTH } from './tile.ts';
import type { VerifiedTiles } from './tile-reader.ts';
import { TlogError } from './tlog-error.ts';

/** Audit path of a leaf in the log of the tiles' size. RFC 9162 2.1.3.1. */
export async function inclusionProof(tiles: VerifiedTiles, index: number): Promise<readonly Uint8Array[]> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= tiles.size) throw new TlogError('out-of-range', `leaf ${index}: the log has ${tiles.size}`);
  return Promise.all(besides(index, 0, tiles.size).map(([start, end]) => rangeRoot(tiles, start, end)));
}

/** That the log of the tiles' size begins with the log of `size` leaves. RFC 9162 2.1.4.1; empty for size 0 and for the same size. */
export async function consistencyProof(tiles: VerifiedTiles, size: number): Promise<readonly Uint8Array[]> {
  if (!Number.isSafeInteger(size) || size < 0 || size > tiles.size) throw new TlogError('out-of-range', `size ${size}: the log has ${tiles.size} leaves`);
  if (size === 0 || size === tiles.size) return [];
  return Promise.all(subproof(size, [0, tiles.size], 'whole').map(([start, end]) => rangeRoot(tiles, start, end)));
}

/** Root of the log when it had `size` leaves. */
export async function rootAtSize(tiles: VerifiedTiles, size: number): Promise<Uint8Array> {
  if (!Number.isSafeInteger(size) || size < 0 || size > tiles.size) throw new TlogError('out-of-range', `size ${size}: the log has ${tiles.size} leaves`);
  return size === 0 ? emptyRoot() : rangeRoot(tiles, 0, size);
}

type Range = readonly [start: number, end: number];

/** The ranges beside the way from leaf to root, nearest to the leaf first. */
function besides(index: number, start: number, end: number): readonly Range[] {
  if (end - start === 1) return [];
  const middle = start + splitPoint(end - start);
  return index < middle ? [...besides(index, start, middle), [middle, end]] : [...besides(index, middle, end), [start, middle]];
}

/** RFC 9162 2.1.4.1 SUBPROOF(m, D_n, b): `known` says that the verifier has the root of the range already (b is true). */
function subproof(size: number, [start, end]: Range, known: 'whole' | 'part'): readonly Range[] {
  if (size === end) return known === 'whole' ? [] : [[start, end]];
  const middle = start + splitPoint(end - start);
  if (size <= middle) return [...subproof(size, [start, middle], known), [middle, end]];
  return [...subproof(size, [middle, end], 'part'), [start, middle]];
}

/** Root of the leaves of a range that starts at a multiple of the largest power of two within it, as all ranges in proofs do. */
async function rangeRoot(tiles: VerifiedTiles, start: number, end: number): Promise<Uint8Array> {
  const size = end - start;
  const power = size === 1 ? 1 : splitPoint(size);
  if (size === 1 || size === 2 * power) return subtreeRoot(tiles, start, size);
  const [left, right] = await Promise.all([rangeRoot(tiles, start, start + power), rangeRoot(tiles, start + power, end)]);
  return nodeHash(left, right);
}

/** Root of a full subtree of a power of two of leaves: it lies within one tile. */
async function subtreeRoot(tiles: VerifiedTiles, start: number, size: number): Promise<Uint8Array> {
  let level = 0;
  while (size >= TILE_WIDTH ** (level + 1)) level += 1;
  const span = TILE_WIDTH ** level;
  const first = start / span;
  const hashes = await tiles.hashes(level, Math.floor(first / TILE_WIDTH));
  const at = (first % TILE_WIDTH) * HASH_BYTES;
  return rootOfHashes(hashes.subarray(at, at + (size / span) * HASH_BYTES));
}
