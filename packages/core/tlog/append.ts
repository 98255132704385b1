import { encodeBundle } from './entry-bundle.ts';
import { emptyRoot, HASH_BYTES, leafHash, rootOfHashes } from './merkle-hash.ts';
import { hashesAtLevel, TILE_WIDTH, type Tile } from './tile.ts';

/** All that is needed of a log to go on: its partial tiles. At most 256 hashes a level and one bundle, however long the log. */
export interface TreeEdge {
  readonly size: number;
  /** By level, the concatenated hashes of the partial tile; empty where the level has only full ones. */
  readonly levels: readonly Uint8Array[];
  /** Bytes of the partial entry bundle. */
  readonly bundle: Uint8Array;
}
export interface TileBytes {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}
export interface Appended {
  readonly edge: TreeEdge;
  readonly root: Uint8Array;
  /** Every tile and bundle that is new or wider than before, full ones first within a level. */
  readonly tiles: readonly TileBytes[];
}

export const EMPTY_EDGE: TreeEdge = { size: 0, levels: [], bundle: new Uint8Array() };

/** Appends a batch in time linear in it, whatever the size of the log. Throws TlogError `leaf-too-large`. */
export function appendLeaves(edge: TreeEdge, leaves: readonly Uint8Array[]): Appended {
  const tiles: TileBytes[] = [];
  const bundle = appendBundles(edge, leaves, tiles);
  const levels: Uint8Array[] = [];
  let hashes = leaves.map(leafHash);
  for (let level = 0; hashes.length > 0 || level < edge.levels.length; level++) {
    const first = Math.floor(hashesAtLevel(edge.size, level) / TILE_WIDTH);
    const grown = appendLevel(edge.levels[level], hashes);
    tiles.push(...grown.full.map((bytes, at) => ({ tile: { level, index: first + at, width: TILE_WIDTH }, bytes })));
    if (hashes.length > 0 && grown.rest.length > 0) {
      tiles.push({ tile: { level, index: first + grown.full.length, width: grown.rest.length / HASH_BYTES }, bytes: grown.rest });
    }
    levels.push(grown.rest);
    hashes = grown.full.map(rootOfHashes);
  }
  const next = { size: edge.size + leaves.length, levels, bundle };
  return { edge: next, root: edgeRoot(next), tiles };
}

/** Root of the whole log from its right edge: the roots of its full subtrees, joined from the smallest up. */
export function edgeRoot({ levels }: TreeEdge): Uint8Array {
  let root: Uint8Array | undefined;
  for (const hashes of levels) {
    if (hashes.length === 0) continue;
    root = rootOfHashes(root === undefined ? hashes : Buffer.concat([hashes, root]));
  }
  return root ?? emptyRoot();
}

function appendLevel(partial: Uint8Array | undefined, hashes: readonly Uint8Array[]): { readonly full: readonly Uint8Array[]; readonly rest: Uint8Array } {
  const bytes = Buffer.concat(partial === undefined ? hashes : [partial, ...hashes]);
  const tileBytes = TILE_WIDTH * HASH_BYTES;
  const full = Array.from({ length: Math.floor(bytes.length / tileBytes) }, (_, at) => bytes.subarray(at * tileBytes, (at + 1) * tileBytes));
  return { full, rest: bytes.subarray(full.length * tileBytes) };
}

function appendBundles(edge: TreeEdge, leaves: readonly Uint8Array[], tiles: TileBytes[]): Uint8Array {
  let index = Math.floor(edge.size / TILE_WIDTH);
  let before: Uint8Array = edge.bundle;
  let width = edge.size % TILE_WIDTH;
  for (let at = 0; at < leaves.length; ) {
    const more = leaves.slice(at, at + TILE_WIDTH - width);
    const bytes = Buffer.concat([before, encodeBundle(more)]);
    at += more.length;
    width += more.length;
    tiles.push({ tile: { level: 'entries', index, width }, bytes });
    if (width < TILE_WIDTH) return bytes;
    index += 1;
    width = 0;
    before = new Uint8Array();
  }
  return before;
}
