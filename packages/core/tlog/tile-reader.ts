import { edgeRoot, type TreeEdge } from './append.ts';
import { decodeBundle, encodeBundle } from './entry-bundle.ts';
import { HASH_BYTES, leafHash, rootOfHashes, sameHash } from './merkle-hash.ts';
import { edgeTiles, TILE_WIDTH, type Tile, tileAt, tilePath } from './tile.ts';
import { TlogError } from './tlog-error.ts';

/** Reads one object of a log; undefined when it isn't there. What it returns is not trusted; how much of it there may be is its caller's to limit. */
export type ReadTile = (tile: Tile) => Promise<Uint8Array | undefined>;

/** Tiles of a log of one size whose bytes were checked against its root. All methods may run at the same time. */
export interface VerifiedTiles {
  readonly size: number;
  /** The hashes of a tile, as wide as the log has it. Throws TlogError. */
  hashes(level: number, index: number): Promise<Uint8Array>;
  /** The leaves of a bundle, as wide as the log has it. Throws TlogError. */
  leaves(index: number): Promise<readonly Uint8Array[]>;
}

/** Full tiles kept after they were checked: parents are asked for 256 times as often as their children. */
const CACHED_TILES = 256;

/** Checks what it reads up to `root`. */
export function verifiedTiles(read: ReadTile, size: number, root: Uint8Array): VerifiedTiles {
  const cache = new Map<string, Promise<Uint8Array>>();
  let edge: Promise<TreeEdge> | undefined;

  const hashes = async (level: number, index: number): Promise<Uint8Array> => {
    const tile = tileAt(level, index, size);
    if (tile === undefined) throw new TlogError('out-of-range', `tile ${level}/${index}: beyond a log of ${size} leaves`);
    edge ??= readHashEdge(read, size, root);
    const { levels } = await edge;
    if (tile.width < TILE_WIDTH) return levels[level] ?? new Uint8Array();
    return remembered(cache, tilePath(tile), () => readBelow(read, tile, hashes));
  };
  const leaves = async (index: number): Promise<readonly Uint8Array[]> => {
    const tile = tileAt('entries', index, size);
    if (tile === undefined) throw new TlogError('out-of-range', `entry bundle ${index}: beyond a log of ${size} leaves`);
    const [bundle, expected] = await Promise.all([readLeaves(read, tile), hashes(0, index)]);
    refuseOtherLeaves(bundle, expected, index * TILE_WIDTH);
    return bundle;
  };
  return { size, hashes, leaves };
}

/** The right edge of a log of `size` leaves, checked against `root`. Throws TlogError. */
export async function readEdge(read: ReadTile, size: number, root: Uint8Array): Promise<TreeEdge> {
  const { levels } = await readHashEdge(read, size, root);
  const tile = tileAt('entries', Math.floor(size / TILE_WIDTH), size);
  if (tile === undefined) return { size, levels, bundle: new Uint8Array() };
  const leaves = await readLeaves(read, tile);
  refuseOtherLeaves(leaves, levels[0] ?? new Uint8Array(), tile.index * TILE_WIDTH);
  return { size, levels, bundle: encodeBundle(leaves) };
}

/** A full tile, checked against the tile above it, which every full tile has. */
async function readBelow(read: ReadTile, tile: Tile, hashes: VerifiedTiles['hashes']): Promise<Uint8Array> {
  const bytes = await readHashes(read, tile);
  const parent = await hashes(Number(tile.level) + 1, Math.floor(tile.index / TILE_WIDTH));
  const at = (tile.index % TILE_WIDTH) * HASH_BYTES;
  if (!sameHash(rootOfHashes(bytes), parent.subarray(at, at + HASH_BYTES))) {
    throw new TlogError('tile-mismatch', `${tilePath(tile)}: its root is not what the tile above it says`);
  }
  return bytes;
}

async function readHashEdge(read: ReadTile, size: number, root: Uint8Array): Promise<TreeEdge> {
  const levels: Uint8Array[] = [];
  const tiles = edgeTiles(size);
  const bytes = await Promise.all(tiles.map((tile) => readHashes(read, tile)));
  for (const [at, tile] of tiles.entries()) {
    while (levels.length < Number(tile.level)) levels.push(new Uint8Array());
    levels.push(bytes[at] ?? new Uint8Array());
  }
  const edge = { size, levels, bundle: new Uint8Array() };
  if (!sameHash(edgeRoot(edge), root)) throw new TlogError('tile-mismatch', `log of ${size} leaves: its tiles do not have the root that was signed`);
  return edge;
}

async function readHashes(read: ReadTile, tile: Tile): Promise<Uint8Array> {
  const { bytes, width } = await readExactOrFull(read, tile);
  if (bytes.length !== width * HASH_BYTES) throw new TlogError('tile-malformed', `${tilePath(tile)}: ${bytes.length} bytes, expected ${width * HASH_BYTES}`);
  return bytes.subarray(0, tile.width * HASH_BYTES);
}

async function readLeaves(read: ReadTile, tile: Tile): Promise<readonly Uint8Array[]> {
  const { bytes, width } = await readExactOrFull(read, tile);
  return decodeBundle(bytes, width).slice(0, tile.width);
}

/** C2SP tlog-tiles: partial tiles may go once the full tile is there, so readers fall back to it. */
async function readExactOrFull(read: ReadTile, tile: Tile): Promise<{ readonly bytes: Uint8Array; readonly width: number }> {
  for (const width of new Set([tile.width, TILE_WIDTH])) {
    const bytes = await read({ ...tile, width });
    if (bytes !== undefined) return { bytes, width };
  }
  throw new TlogError('tile-missing', `${tilePath(tile)}: not there`);
}

function refuseOtherLeaves(leaves: readonly Uint8Array[], hashes: Uint8Array, first: number): void {
  for (const [at, leaf] of leaves.entries()) {
    if (sameHash(leafHash(leaf), hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))) continue;
    throw new TlogError('tile-mismatch', `entry ${first + at}: not the leaf whose hash the log has`);
  }
}

/** Single flight, and the most recently used are kept. What did not succeed is not kept: it may succeed the next time. */
function remembered(cache: Map<string, Promise<Uint8Array>>, key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const found =
    cache.get(key) ??
    make().catch((error: unknown) => {
      cache.delete(key);
      throw error;
    });
  cache.delete(key);
  cache.set(key, found);
  const oldest = cache.keys().next().value;
  if (cache.size > CACHED_TILES && oldest !== undefined) cache.delete(oldest);
  return found;
}
