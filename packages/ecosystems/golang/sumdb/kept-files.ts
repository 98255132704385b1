import { formatPurl, type Purl, packageOf } from '@granary/core/model';
import { parseTilePath, TILE_WIDTH, type Tile, tilePath } from '@granary/core/tlog';
import { segmentsOf } from '../names.ts';
import { lookupPath } from './record.ts';

// What is kept of a database stands beside the modules, under names that no module can have: their first element has a dot.

/** A file that is kept: what it is called, and where it would lie. */
export interface KeptName {
  readonly purl: Purl;
  readonly path: string;
}

/** A record of the log, without the tree it was proven in. */
export function recordName(database: string, module: string, version: string): KeptName {
  const { namespace, name } = segmentsOf(module);
  const folder = namespace === undefined ? `sumdb/${database}/record` : `sumdb/${database}/record/${namespace}`;
  return {
    purl: formatPurl({ type: 'golang', namespace: folder, name, version, fileName: 'record' }),
    path: `sumdb/${database}/record/${lookupPath(module, version).slice('lookup/'.length)}`,
  };
}

/** A signed tree; its version is its size. */
export function treeName(database: string, size: number): KeptName {
  return {
    purl: formatPurl({ type: 'golang', namespace: `sumdb/${database}`, name: 'tree', version: String(size), fileName: 'note' }),
    path: `sumdb/${database}/tree/${size}`,
  };
}

/** A tile of hashes; its version is its width. */
export function tileName(database: string, tile: Tile): KeptName {
  const path = databaseTilePath(tile);
  const { namespace = '', name } = segmentsOf(`sumdb/${database}/${databaseTilePath({ ...tile, width: TILE_WIDTH })}`);
  return { purl: formatPurl({ type: 'golang', namespace, name, version: String(tile.width), fileName: 'hashes' }), path: `sumdb/${database}/${path}` };
}

/** The package that versions of a kept file are of. */
export function keptPackage({ purl }: KeptName): Purl {
  return packageOf(purl);
}

/** golang.org/x/mod/sumdb/tlog names the height of its tiles, 8, before the level. */
export function databaseTilePath(tile: Tile): string {
  return tilePath(tile).replace(/^tile\//, 'tile/8/');
}
/** Undefined for what isn't the path of a tile of hashes. */
export function parseDatabaseTilePath(path: string): Tile | undefined {
  const tile = path.startsWith('tile/8/') ? parseTilePath(path.replace('tile/8/', 'tile/')) : undefined;
  return tile?.level === 'entries' ? undefined : tile;
}
