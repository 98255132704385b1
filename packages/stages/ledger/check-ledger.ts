import type { BlobStore, ObjectStore } from '@granary/contract/ports';
import { TILE_WIDTH, TlogError, type VerifiedTiles, verifiedTiles } from '@granary/core/tlog';
import { type EntryCheck, entryCheck } from './check-entries.ts';
import { type BlobCheck, type EvidenceCheck, evidenceCheck } from './check-evidence.ts';
import { LedgerError } from './ledger-error.ts';
import { type LedgerProblem, type ProblemList, problemList } from './ledger-problem.ts';
import { openLedgerReader, type SignedCheckpoint } from './ledger-reader.ts';
import { type LedgerSource, tilesOf } from './ledger-source.ts';

export interface CheckLedgerOptions {
  readonly source: LedgerSource;
  readonly origin: string;
  readonly verifierKey: string;
  /** Where envelopes lie. */
  readonly objects: Pick<ObjectStore, 'get'>;
  /** Where blobs lie: the ledger's own store first; the public one too, for a private ledger. */
  readonly blobs: readonly BlobStore[];
  readonly blobCheck: BlobCheck;
  readonly maxProblems?: number;
  readonly onProgress?: (done: { readonly entries: number; readonly of: number }) => void;
  readonly signal?: AbortSignal;
}
export interface LedgerReport {
  readonly origin: string;
  readonly size: number;
  /** Root hash in hexadecimal. */
  readonly root: string;
  /** Entries by kind. */
  readonly entries: Readonly<Record<string, number>>;
  readonly blobs: number;
  readonly problems: readonly LedgerProblem[];
  /** Problems beyond the limit. */
  readonly omitted: number;
}

/**
 * Verifies a whole ledger again from its bytes: checkpoint, every tile and bundle up to the root, every entry, and what entries name.
 * Reports what it finds wrong; throws only when it can't go on reading. Memory grows with the number of entries, not with their size.
 */
export async function checkLedger(options: CheckLedgerOptions): Promise<LedgerReport> {
  const { origin, objects, blobs, blobCheck, maxProblems = 1000 } = options;
  const problems = problemList(maxProblems);
  const checkpoint = await checkpointOf(options, problems);
  const { size, root } = checkpoint ?? { size: 0, root: new Uint8Array() };
  const entries = entryCheck(options, problems);
  const evidence = evidenceCheck({ objects, blobs }, blobCheck, problems);
  if (checkpoint !== undefined) await checkTree(options, verifiedTiles(tilesOf(options.source), size, root), { entries, evidence, problems });
  const looked = await evidence.done();
  const inOrder = problems.kept.toSorted((a, b) => (a.index ?? -1) - (b.index ?? -1));
  return { origin, size, root: Buffer.from(root).toString('hex'), entries: entries.counts(), blobs: looked, problems: inOrder, omitted: problems.omitted() };
}

async function checkpointOf({ source, origin, verifierKey }: CheckLedgerOptions, problems: ProblemList): Promise<SignedCheckpoint | undefined> {
  try {
    const checkpoint = await openLedgerReader({ source, origin, verifierKey }).checkpoint();
    if (checkpoint === undefined) problems.add({ code: 'checkpoint', message: `ledger ${origin}: no checkpoint was published` });
    return checkpoint;
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'unverified') throw error;
    problems.add({ code: 'checkpoint', message: error.message });
    return undefined;
  }
}

interface Checks {
  readonly entries: EntryCheck;
  readonly evidence: EvidenceCheck;
  readonly problems: ProblemList;
}

/** Bundle by bundle: each is held against its tile, each tile against the one above, up to the signed root. */
async function checkTree({ onProgress, signal }: CheckLedgerOptions, tiles: VerifiedTiles, { entries, evidence, problems }: Checks): Promise<void> {
  for (let bundle = 0; bundle * TILE_WIDTH < tiles.size; bundle++) {
    signal?.throwIfAborted();
    const first = bundle * TILE_WIDTH;
    for (const [at, bytes] of (await leavesOf(tiles, bundle, problems)).entries()) {
      const entry = entries.next(first + at, bytes);
      if (entry !== undefined) evidence.next(first + at, entry);
    }
    await evidence.room();
    onProgress?.({ entries: Math.min(first + TILE_WIDTH, tiles.size), of: tiles.size });
  }
}

async function leavesOf(tiles: VerifiedTiles, bundle: number, problems: ProblemList): Promise<readonly Uint8Array[]> {
  try {
    return await tiles.leaves(bundle);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    problems.add({ code: 'tile', index: bundle * TILE_WIDTH, message: `entries from ${bundle * TILE_WIDTH}: ${error.message}` });
    return [];
  }
}
