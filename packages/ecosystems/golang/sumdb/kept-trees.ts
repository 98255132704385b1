import type { Held } from '@granary/contract/ecosystem';
import { type Purl, purlParts, type Sha256 } from '@granary/core/model';
import { type Checkpoint, HASH_BYTES, MAX_NOTE_BYTES, openCheckpoint, TILE_WIDTH, type Tile, type VerifierKey } from '@granary/core/tlog';
import { keptPackage, tileName, treeName } from './kept-files.ts';

/** golang.org/x/mod/sumdb/tlog, FormatTree. */
const ORIGIN = 'go.sum database tree';

/** Throws TlogError unless the database signed it. */
export function openTree(note: Uint8Array, key: VerifierKey): Checkpoint {
  return openCheckpoint(note, ORIGIN, key);
}

/** A file of ours, by the number that its version is. */
interface Numbered {
  readonly number: number;
  readonly sha256: Sha256;
}

/** Trees that are kept, largest first. */
export function keptTrees(held: Held, database: string): readonly Numbered[] {
  return numbered(held, keptPackage(treeName(database, 0))).toSorted((one, other) => other.number - one.number);
}

export async function readTreeNote(held: Held, { sha256 }: Numbered): Promise<Uint8Array | undefined> {
  return await held.read(sha256, MAX_NOTE_BYTES);
}

/** The hashes of a tile, from one that is kept and as wide or wider: what is added to a log stands after what was there. */
export async function readKeptTile(held: Held, database: string, tile: Tile): Promise<Uint8Array | undefined> {
  const wide = numbered(held, keptPackage(tileName(database, tile))).find(({ number }) => number >= tile.width);
  const bytes = wide === undefined ? undefined : await held.read(wide.sha256, TILE_WIDTH * HASH_BYTES);
  return bytes?.subarray(0, tile.width * HASH_BYTES);
}

function numbered(held: Held, packagePurl: Purl): readonly Numbered[] {
  return held.files(packagePurl).map(({ purl, sha256 }) => ({ number: Number(purlParts(purl).version), sha256 }));
}
