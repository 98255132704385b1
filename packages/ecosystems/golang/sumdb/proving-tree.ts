import type { Held } from '@granary/contract/ecosystem';
import { type Checkpoint, HASH_BYTES, parseCheckpoint, parseNote, sameHash, TILE_WIDTH, TlogError, verifiedTiles } from '@granary/core/tlog';
import { keptTrees, readKeptTile, readTreeNote } from './kept-trees.ts';
import { recordHash, type SumRecord } from './record.ts';

/**
 * The note of the newest kept tree that has a record and can be shown to have it by the tiles that are kept; undefined where none can yet. Its signature was checked when it was
 * taken in, and the client checks it again.
 */
export async function provingTree(held: Held, database: string, record: SumRecord): Promise<Uint8Array | undefined> {
  for (const tree of keptTrees(held, database)) {
    // Record N is the one after the first N: a tree of N doesn't have it.
    if (tree.number <= record.id) return undefined;
    const note = await readTreeNote(held, tree);
    if (note !== undefined && (await hasRecord({ held, database }, note, record))) return note;
  }
  return undefined;
}

async function hasRecord({ held, database }: { readonly held: Held; readonly database: string }, note: Uint8Array, record: SumRecord): Promise<boolean> {
  try {
    const { size, root }: Checkpoint = parseCheckpoint(parseNote(note).text);
    if (size <= record.id) return false;
    const { hashes } = verifiedTiles(async (tile) => (tile.level === 'entries' ? undefined : await readKeptTile(held, database, tile)), size, root);
    const at = (record.id % TILE_WIDTH) * HASH_BYTES;
    return sameHash((await hashes(0, Math.floor(record.id / TILE_WIDTH))).subarray(at, at + HASH_BYTES), recordHash(record));
  } catch (error) {
    // A tile that isn't kept yet.
    if (error instanceof TlogError) return false;
    throw error;
  }
}
