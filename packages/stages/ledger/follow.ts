import type { CatalogFold, Clock, FoldableLeaf } from '@granary/contract/ports';
import { sha256 } from '@granary/core/model';
import { LedgerError } from './ledger-error.ts';
import { type LedgerReader, refuseFork, type SignedCheckpoint, type TreeHead } from './ledger-reader.ts';

/** Leaves that are held at once. */
const LEAVES_AT_ONCE = 1024;

export interface Followed {
  readonly checkpoint: SignedCheckpoint;
  /** In order; the last chunk of a checkpoint ends at its size. */
  readonly leaves: readonly FoldableLeaf[];
}
export interface FollowOptions {
  /** Index of the first leaf wanted. */
  readonly from: number;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly signal?: AbortSignal;
  /** What was seen before: a log that does not continue it is a LedgerError `forked`. */
  readonly after?: TreeHead;
}

/** Yields new leaves as checkpoints are published, until the signal aborts. A checkpoint smaller than the last is passed over: a copy may lag. */
export async function* follow(reader: LedgerReader, { from, clock, everyMs, signal, after }: FollowOptions): AsyncGenerator<Followed> {
  let seen = after;
  let next = from;
  const stopped = (): boolean => signal?.aborted === true;
  while (!stopped()) {
    const checkpoint = await reader.checkpoint();
    if (checkpoint !== undefined && checkpoint.size >= (seen?.size ?? 0)) {
      if (seen !== undefined) await refuseFork(reader, seen, checkpoint);
      for await (const leaves of chunked(reader.leaves(checkpoint, next, checkpoint.size))) {
        yield { checkpoint, leaves };
        next += leaves.length;
      }
      seen = checkpoint;
    }
    try {
      await clock.sleep(everyMs, signal);
    } catch (error) {
      if (stopped()) return;
      throw error;
    }
  }
}

/** Folds what the catalog lacks of a tree. Throws LedgerError `wrong-catalog` when it was folded from another log, CatalogError. */
export async function catchUp(reader: LedgerReader, catalog: CatalogFold, tree: TreeHead): Promise<void> {
  const { origin } = reader;
  const folded = catalog.size(origin);
  if (folded > tree.size) throw wrongCatalog(origin, `it holds ${folded} leaves, but the ledger has ${tree.size}`);
  for await (const { bytes } of reader.leaves(tree, folded - 1, folded)) {
    if (sha256(bytes) !== catalog.lastLeaf(origin)) throw wrongCatalog(origin, `leaf ${folded - 1} is another one in the ledger`);
  }
  for await (const leaves of chunked(reader.leaves(tree, folded, tree.size))) catalog.fold(origin, leaves);
}

function wrongCatalog(origin: string, why: string): LedgerError {
  return new LedgerError('wrong-catalog', `catalog of ${origin}: ${why}; it is derived, so make it anew: granary catalog rebuild`);
}

async function* chunked(leaves: AsyncIterable<FoldableLeaf>): AsyncIterable<readonly FoldableLeaf[]> {
  let chunk: FoldableLeaf[] = [];
  for await (const leaf of leaves) {
    chunk.push(leaf);
    if (chunk.length < LEAVES_AT_ONCE) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
