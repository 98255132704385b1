import { checkpointKey, type ObjectKey, stagingPrefix, tileKey } from '@granary/core/layout';
import {
  appendLeaves,
  EMPTY_EDGE,
  MAX_NOTE_BYTES,
  openCheckpoint,
  readEdge,
  sameHash,
  type TileBytes,
  TlogError,
  type TreeEdge,
  tilePath,
} from '@granary/core/tlog';
import { type LedgerPorts, type LogEnd, publishBatch } from './commit-batch.ts';
import { LedgerError } from './ledger-error.ts';
import { ledgerKeyOf, openLedgerReader, refuseFork, type SignedCheckpoint } from './ledger-reader.ts';
import { storeSource, tilesOf } from './ledger-source.ts';
import { MAX_STAGED_BYTES, parseStaged, type StagedBatch, stagedLeaves } from './staged-batch.ts';

/**
 * Finds out where the log stands, and finishes what a run before left half done. The lock decides: what its head names is part of the
 * log, what is only staged is not. Throws LedgerError `inconsistent`, saying what to do, rather than guess.
 */
export async function recover(ports: LedgerPorts): Promise<LogEnd> {
  const { lock, origin } = ports;
  const note = await lock.load(origin);
  const published = await readPublished(ports);
  const head = note === undefined ? await adopt(ports, published) : openHead(ports, note);
  if (head === undefined) {
    await refuseStrayTiles(ports);
    return { edge: EMPTY_EDGE, head };
  }
  const edge = await bringForward(ports, head, published);
  await discardStaging(ports, head);
  return { edge, head };
}

/**
 * Removes the batches that the published log has passed: they are part of it, or never will be. A larger one may be another
 * sequencer's, between staging and the lock; it goes once the log is larger.
 */
export async function discardStaging(ports: LedgerPorts, head: SignedCheckpoint): Promise<void> {
  for (const { key, size } of await stagedKeys(ports)) if (size <= head.size) await ports.store.mutable.remove(key);
}

/** Publishes the head if a run before died between moving the lock and publishing. */
async function bringForward(ports: LedgerPorts, head: SignedCheckpoint, published: SignedCheckpoint | undefined): Promise<TreeEdge> {
  if (published !== undefined && (published.size > head.size || (published.size === head.size && !sameHash(published.root, head.root)))) {
    throw inconsistent(
      ports,
      `the published checkpoint has ${published.size} leaves, the lock ${head.size}: the lock is older than the log; restore the newest lock, or, if no other sequencer runs, delete it to take the checkpoint over`,
    );
  }
  if (published?.size === head.size) return edgeOf(ports, head);
  const name = (await stagedKeys(ports)).find(({ size, root }) => size === head.size && root === hex(head.root))?.key;
  const staged = name === undefined ? undefined : await readStaged(ports, name);
  if (staged === undefined) return bringForwardUnstaged(ports, head, published);
  const before = published === undefined ? EMPTY_EDGE : await edgeOf(ports, published);
  const { edge, tiles } = appendStaged(ports, before, staged, head);
  await publishBatch(ports, head, tiles);
  return edge;
}

/**
 * The batch is staged no more, so another sequencer finished it while this one's older checkpoint came late: every leaf in between must be
 * there and bear the head out.
 */
async function bringForwardUnstaged(ports: LedgerPorts, head: SignedCheckpoint, published: SignedCheckpoint | undefined): Promise<TreeEdge> {
  const reader = openLedgerReader({ source: storeSource(ports.store.objects, ports.origin), origin: ports.origin, verifierKey: ports.noteSigner.verifierKey });
  try {
    if (published !== undefined) await refuseFork(reader, published, head);
    for await (const _leaf of reader.leaves(head, published?.size ?? 0, head.size));
    const edge = await edgeOf(ports, head);
    await publishBatch(ports, head, []);
    return edge;
  } catch (cause) {
    if (!(cause instanceof LedgerError) || (cause.code !== 'unverified' && cause.code !== 'forked')) throw cause;
    throw inconsistent(
      ports,
      `the lock has ${head.size} leaves, the published checkpoint ${published?.size ?? 'is missing'}, and the batch between them is neither under ${stagingPrefix(ports.origin)} nor whole in tiles (${cause.message}); restore the store from the newest replica`,
      cause,
    );
  }
}

/**
 * The lock is empty. A log that was published, and a batch staged right behind it that may have been in the lock, are taken over;
 * that is safe, since whatever is adopted continues what readers have seen.
 */
async function adopt(ports: LedgerPorts, published: SignedCheckpoint | undefined): Promise<SignedCheckpoint | undefined> {
  if (published === undefined) return undefined;
  const edge = await edgeOf(ports, published);
  const candidates: SignedCheckpoint[] = [];
  for (const { key, size } of await stagedKeys(ports)) {
    const staged = size > published.size ? await readStaged(ports, key) : undefined;
    if (staged?.from !== published.size) continue;
    const head = openHead(ports, staged.head);
    appendStaged(ports, edge, staged, head);
    candidates.push(head);
  }
  if (candidates.length > 1) {
    throw inconsistent(
      ports,
      `the lock is empty and ${candidates.length} batches are staged behind ${published.size} leaves; restore the lock from a backup, or remove from ${stagingPrefix(ports.origin)} the batches whose tiles were not written`,
    );
  }
  const head = candidates[0] ?? published;
  if (!(await ports.lock.swap(ports.origin, undefined, head.note))) {
    throw new LedgerError('lost-lock', `ledger ${ports.origin}: another sequencer took the log over; let only one run`);
  }
  return head;
}

/** Checks the staged bytes against the log before and the signed head: a damaged batch is never published. */
function appendStaged(
  ports: LedgerPorts,
  before: TreeEdge,
  staged: StagedBatch,
  head: SignedCheckpoint,
): { readonly edge: TreeEdge; readonly tiles: readonly TileBytes[] } {
  const { edge, root, tiles } = appendLeaves(before, stagedLeaves(staged));
  const same = tiles.length === staged.tiles.length && tiles.every(({ tile, bytes }, at) => isTile(staged.tiles[at], tilePath(tile), bytes));
  if (same && Buffer.compare(staged.head, head.note) === 0 && staged.from === before.size && edge.size === head.size && sameHash(root, head.root))
    return { edge, tiles };
  throw inconsistent(
    ports,
    `the batch staged for ${head.size} leaves does not continue the ${before.size} published ones as its head says; restore the store from the newest replica`,
  );
}

function isTile(staged: TileBytes | undefined, path: string, bytes: Uint8Array): boolean {
  return staged !== undefined && tilePath(staged.tile) === path && Buffer.compare(staged.bytes, bytes) === 0;
}

async function stagedKeys({ store, origin }: LedgerPorts): Promise<readonly { readonly key: ObjectKey; readonly size: number; readonly root: string }[]> {
  const prefix = stagingPrefix(origin);
  const found: { key: ObjectKey; size: number; root: string }[] = [];
  for await (const key of store.objects.list(prefix)) {
    const [, size, root] = /^(\d{1,16})-([0-9a-f]{64})$/.exec(key.slice(prefix.length)) ?? [];
    if (size !== undefined && root !== undefined) found.push({ key, size: Number(size), root });
  }
  return found;
}

async function readStaged({ store }: LedgerPorts, key: ObjectKey): Promise<StagedBatch | undefined> {
  const bytes = await store.objects.get(key, MAX_STAGED_BYTES);
  return bytes && parseStaged(bytes);
}

async function readPublished(ports: LedgerPorts): Promise<SignedCheckpoint | undefined> {
  const note = await ports.store.objects.get(checkpointKey(ports.origin), MAX_NOTE_BYTES);
  return note && openHead(ports, note);
}

function openHead(ports: LedgerPorts, note: Uint8Array): SignedCheckpoint {
  try {
    return { ...openCheckpoint(note, ports.origin, ledgerKeyOf(ports.origin, ports.noteSigner.verifierKey)), note };
  } catch (cause) {
    if (!(cause instanceof TlogError)) throw cause;
    throw inconsistent(
      ports,
      `its head is not signed by the key at hand (${cause.message}); bring back the ledger's key, or start a new log under another origin`,
      cause,
    );
  }
}

async function edgeOf(ports: LedgerPorts, { size, root }: SignedCheckpoint): Promise<TreeEdge> {
  try {
    return await readEdge(tilesOf(storeSource(ports.store.objects, ports.origin)), size, root);
  } catch (cause) {
    if (!(cause instanceof TlogError)) throw cause;
    throw inconsistent(
      ports,
      `its tiles do not bear out the ${size} leaves that were signed (${cause.message}); restore the store from the newest replica`,
      cause,
    );
  }
}

async function refuseStrayTiles(ports: LedgerPorts): Promise<void> {
  for await (const key of ports.store.objects.list(tileKey(ports.origin, 'tile/'))) {
    throw inconsistent(ports, `there are tiles (${key}) but neither lock nor checkpoint; restore the checkpoint from a replica`);
  }
}

function inconsistent({ origin }: LedgerPorts, what: string, cause?: unknown): LedgerError {
  return new LedgerError('inconsistent', `ledger ${origin}: ${what}`, { cause });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
