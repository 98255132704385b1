import type { Json } from '../model/index.ts';
import { inclusionProof, parseCheckpoint, parseNote, TILE_WIDTH, type VerifiedTiles, type VerifierKey } from '../tlog/index.ts';
import { BundleError } from './bundle-error.ts';
import type { Envelope } from './envelope.ts';
import { sigstoreBundle } from './sigstore-bundle.ts';

/** A ledger at one size, ready to be proven from. */
export interface ProvableLedger {
  readonly log: VerifierKey;
  /** The signed note, whose signature was checked. */
  readonly checkpoint: Uint8Array;
  /** Tiles of that checkpoint's size, checked against its root. */
  readonly tiles: VerifiedTiles;
}

/**
 * The Sigstore bundle of an envelope whose leaf stands at `index`: right before its `attested` fact. A bundle is never stored: it is a
 * function of envelope, tiles and checkpoint. Throws TlogError; BundleError `bad-leaf` for an index beyond the ledger.
 */
export async function completeBundle(
  envelope: Envelope,
  index: number,
  { log, checkpoint, tiles }: ProvableLedger,
): Promise<{ readonly [name: string]: Json }> {
  const isWithin = Number.isSafeInteger(index) && index >= 0 && index < tiles.size;
  const leaf = isWithin ? (await tiles.leaves(Math.floor(index / TILE_WIDTH)))[index % TILE_WIDTH] : undefined;
  if (leaf === undefined) throw new BundleError('bad-leaf', `leaf ${index} of ${log.name}: beyond its ${tiles.size} entries`);
  const { root } = parseCheckpoint(parseNote(checkpoint).text);
  const hashes = await inclusionProof(tiles, index);
  return sigstoreBundle(envelope, { log, index, treeSize: tiles.size, root, hashes, checkpoint: new TextDecoder().decode(checkpoint), leaf });
}
