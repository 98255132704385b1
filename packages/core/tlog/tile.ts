/** Hashes in a full tile and entries in a full bundle: C2SP tlog-tiles has height 8. */
export const TILE_WIDTH = 256;
/** Tree sizes are integers below 2^53, so that no level is above this. */
const MAX_LEVEL = 6;

/** One immutable object of a log: a tile of hashes, or a bundle of entries. */
export interface Tile {
  /** 0 holds the hashes of the leaves; `entries` the leaves themselves. */
  readonly level: number | 'entries';
  readonly index: number;
  /** 1 to 256; less than 256 makes it a partial tile. */
  readonly width: number;
}

/** Path as C2SP tlog-tiles writes it: `tile/0/x001/234.p/5`, `tile/entries/000`. */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const path = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Undefined unless the path is exactly what {@link tilePath} writes. */
export function parseTilePath(path: string): Tile | undefined {
  const match = /^tile\/(entries|\d)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return undefined;
  const [, level = '', groups = '', width] = match;
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replace(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  if (!Number.isSafeInteger(tile.index) || tile.width < 1 || (typeof tile.level === 'number' && tile.level > MAX_LEVEL)) return undefined;
  return tilePath(tile) === path ? tile : undefined;
}

/** How many hashes a level of the tile tree holds when the log has `size` leaves. */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** The tile at a place, as wide as it is in a log of `size` leaves; undefined when that log has none there. */
export function tileAt(level: number | 'entries', index: number, size: number): Tile | undefined {
  const hashes = hashesAtLevel(size, level === 'entries' ? 0 : level);
  const width = Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH);
  return width > 0 ? { level, index, width } : undefined;
}

/** The partial tiles of the right edge of a log of `size` leaves, lowest level first, each with its level; hash tiles only. */
export function edgeTiles(size: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
    const hashes = hashesAtLevel(size, level);
    if (hashes % TILE_WIDTH > 0) tiles.push({ level, index: Math.floor(hashes / TILE_WIDTH), width: hashes % TILE_WIDTH });
  }
  return tiles;
}
