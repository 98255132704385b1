import type { FoldableLeaf } from '@granary/contract/ports';
import {
  type Checkpoint,
  consistencyProof,
  inclusionProof,
  MAX_NOTE_BYTES,
  openCheckpoint,
  parseVerifierKey,
  rootAtSize,
  sameHash,
  TILE_WIDTH,
  TlogError,
  type VerifiedTiles,
  type VerifierKey,
  verifiedTiles,
} from '@granary/core/tlog';
import { LedgerError } from './ledger-error.ts';
import { CHECKPOINT_PATH, type LedgerSource, tilesOf } from './ledger-source.ts';

/** A checkpoint whose signature was verified, with the note that says so. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Uint8Array;
}
/** The tree that something is read from. */
export type TreeHead = Pick<Checkpoint, 'size' | 'root'>;

/** Reads a ledger and believes nothing that its key didn't sign. All methods may run at the same time; they throw LedgerError `unverified`. */
export interface LedgerReader {
  readonly origin: string;
  /** The newest that was published; undefined when the log was never started. */
  checkpoint(): Promise<SignedCheckpoint | undefined>;
  /** The tree itself, for those who prove from it; its methods throw TlogError. */
  tiles(tree: TreeHead): VerifiedTiles;
  /** Leaves with `start <= index < end`, in order, each checked against the tree. */
  leaves(tree: TreeHead, start: number, end: number): AsyncIterable<FoldableLeaf>;
  /** Proof that leaf `index` is in the tree, nearest to the leaf first. */
  inclusionProof(tree: TreeHead, index: number): Promise<readonly Uint8Array[]>;
  /** Proof that the tree continues its own first `size` leaves; with the root that it had then. */
  consistencyProof(tree: TreeHead, size: number): Promise<{ readonly root: Uint8Array; readonly proof: readonly Uint8Array[] }>;
}

export interface LedgerReaderOptions {
  readonly source: LedgerSource;
  readonly origin: string;
  /** `<origin>+<key id>+<key>`. */
  readonly verifierKey: string;
}

export function openLedgerReader({ source, origin, verifierKey }: LedgerReaderOptions): LedgerReader {
  const key = ledgerKeyOf(origin, verifierKey);
  const trees = new Map<string, VerifiedTiles>();
  const treeOf = ({ size, root }: TreeHead): VerifiedTiles => {
    const name = `${size} ${Buffer.from(root).toString('hex')}`;
    const tiles = trees.get(name) ?? verifiedTiles(tilesOf(source), size, root);
    trees.delete(name);
    trees.set(name, tiles);
    for (const oldest of trees.keys()) if (trees.size > TREES_KEPT) trees.delete(oldest);
    return tiles;
  };
  return {
    origin,
    checkpoint: () => verified(origin, () => readCheckpoint(source, origin, key)),
    tiles: treeOf,
    leaves: (tree, start, end) => readLeaves(origin, treeOf(tree), start, end),
    inclusionProof: (tree, index) => verified(origin, () => inclusionProof(treeOf(tree), index)),
    consistencyProof: (tree, size) =>
      verified(origin, async () => {
        const [root, proof] = await Promise.all([rootAtSize(treeOf(tree), size), consistencyProof(treeOf(tree), size)]);
        return { root, proof };
      }),
  };
}

/** Throws LedgerError `bad-request` unless the key's name is the origin. */
export function ledgerKeyOf(origin: string, verifierKey: string): VerifierKey {
  const key = parseVerifierKey(verifierKey);
  if (key?.name === origin) return key;
  throw new LedgerError('bad-request', `ledger ${origin}: ${JSON.stringify(verifierKey.slice(0, 120))} is no verifier key of that name`);
}

/** Throws LedgerError `forked` unless the newer tree begins with the older one. */
export async function refuseFork(reader: LedgerReader, older: TreeHead, newer: TreeHead): Promise<void> {
  const { root } = await reader.consistencyProof(newer, older.size);
  if (sameHash(root, older.root)) return;
  throw new LedgerError(
    'forked',
    `ledger ${reader.origin}: the log of ${newer.size} leaves does not begin with the ${older.size} leaves seen before; keep both checkpoints as evidence`,
  );
}

const TREES_KEPT = 4;

async function readCheckpoint(source: LedgerSource, origin: string, key: VerifierKey): Promise<SignedCheckpoint | undefined> {
  const note = await source(CHECKPOINT_PATH, MAX_NOTE_BYTES);
  return note && { ...openCheckpoint(note, origin, key), note };
}

async function* readLeaves(origin: string, tiles: VerifiedTiles, start: number, end: number): AsyncIterable<FoldableLeaf> {
  const last = Math.min(end, tiles.size);
  const bundleAt = (bundle: number) => verified(origin, () => tiles.leaves(bundle));
  for (let bundle = Math.floor(Math.max(start, 0) / TILE_WIDTH); bundle * TILE_WIDTH < last; bundle++) {
    const first = bundle * TILE_WIDTH;
    for (const [at, bytes] of (await bundleAt(bundle)).entries()) {
      const index = first + at;
      if (index >= start && index < last) yield { index, bytes };
    }
  }
}

async function verified<T>(origin: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof TlogError)) throw cause;
    throw new LedgerError('unverified', `ledger ${origin}: ${cause.message}`, { cause });
  }
}
