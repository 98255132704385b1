import type { ObjectStore } from '@granary/contract/ports';
import { checkpointKey, tileKey } from '@granary/core/layout';
import { HASH_BYTES, maxBundleBytes, type ReadTile, type Tile, tilePath } from '@granary/core/tlog';

/** Where a ledger is read from, by path below its prefix: `checkpoint`, `tile/…`. Undefined when there is none; refuses more than `maxBytes`. */
export type LedgerSource = (path: string, maxBytes: number) => Promise<Uint8Array | undefined>;

export const CHECKPOINT_PATH = 'checkpoint';

/** A ledger as it lies in a store. */
export function storeSource(objects: Pick<ObjectStore, 'get'>, origin: string): LedgerSource {
  return (path, maxBytes) => objects.get(path === CHECKPOINT_PATH ? checkpointKey(origin) : tileKey(origin, path), maxBytes);
}

export function tilesOf(source: LedgerSource): ReadTile {
  return (tile) => source(tilePath(tile), maxTileBytes(tile));
}

function maxTileBytes({ level, width }: Tile): number {
  return level === 'entries' ? maxBundleBytes(width) : width * HASH_BYTES;
}
