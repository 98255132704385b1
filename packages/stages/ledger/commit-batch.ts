import type { LockBackend, NoteSigner, Store } from '@granary/contract/ports';
import { checkpointKey, stagingKey, tileKey } from '@granary/core/layout';
import { toSha256 } from '@granary/core/model';
import { appendLeaves, formatCheckpoint, formatNote, type TileBytes, type TreeEdge, tilePath } from '@granary/core/tlog';
import pLimit from 'p-limit';
import { LedgerError } from './ledger-error.ts';
import { ledgerKeyOf, type SignedCheckpoint } from './ledger-reader.ts';
import { encodeStaged } from './staged-batch.ts';

/** What a ledger is written with. */
export interface LedgerPorts {
  readonly store: Store;
  readonly lock: LockBackend;
  readonly noteSigner: NoteSigner;
  readonly origin: string;
}
/** Where a log stands: what the next batch is appended to. */
export interface LogEnd {
  readonly edge: TreeEdge;
  /** Undefined when the log was never started. */
  readonly head: SignedCheckpoint | undefined;
}

/** Tiles written at once. */
const WRITES_AT_ONCE = 16;

/**
 * Appends leaves and publishes them: the batch under staging, the head, the tiles, the checkpoint, in this order, each durable before the
 * next. What dies in between is finished or undone by `recover`. Throws LedgerError `lost-lock` when another sequencer was faster.
 */
export async function commitBatch(ports: LedgerPorts, end: LogEnd, leaves: readonly Uint8Array[]): Promise<LogEnd> {
  const { store, lock, origin } = ports;
  const { edge, root, tiles } = appendLeaves(end.edge, leaves);
  const head = await signCheckpoint(ports, edge.size, root);
  const staged = stagingKey(origin, edge.size, toSha256(Buffer.from(root).toString('hex')));
  await store.objects.putOnce(staged, encodeStaged({ from: end.edge.size, head: head.note, tiles }));
  if (!(await lock.swap(origin, end.head?.note, head.note))) throw lostLock(origin, end.edge.size);
  await publishBatch(ports, head, tiles);
  return { edge, head };
}

/** Throws LedgerError `lost-lock` unless the head is still the one that we know: what is decided on an older one may be wrong. */
export async function confirmHead({ lock, origin }: LedgerPorts, head: SignedCheckpoint): Promise<void> {
  const current = await lock.load(origin);
  if (current === undefined || Buffer.compare(current, head.note) !== 0) throw lostLock(origin, head.size);
}

/** The second half, from the moment at which the lock holds the head. */
export async function publishBatch(ports: LedgerPorts, head: SignedCheckpoint, tiles: readonly TileBytes[]): Promise<void> {
  const { store, origin } = ports;
  await pLimit(WRITES_AT_ONCE).map(tiles, ({ tile, bytes }) => store.objects.putOnce(tileKey(origin, tilePath(tile)), bytes));
  // A sequencer that slept while another one took over must not turn the published checkpoint back.
  await confirmHead(ports, head);
  await store.mutable.replace(checkpointKey(origin), head.note);
}

async function signCheckpoint({ noteSigner, origin }: LedgerPorts, size: number, root: Uint8Array): Promise<SignedCheckpoint> {
  const { name, keyId } = ledgerKeyOf(origin, noteSigner.verifierKey);
  const checkpoint = { origin, size, root, extensions: [] };
  const text = formatCheckpoint(checkpoint);
  const signature = await noteSigner.sign(new TextEncoder().encode(text));
  return { ...checkpoint, note: formatNote({ text, signatures: [{ name, keyId, signature }] }) };
}

function lostLock(origin: string, size: number): LedgerError {
  return new LedgerError('lost-lock', `ledger ${origin}: another sequencer moved the head away from ${size} leaves; let only one run`);
}
