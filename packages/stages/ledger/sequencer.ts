import type { Store } from '@granary/contract/ports';
import type { ObjectKey } from '@granary/core/layout';
import pLimit from 'p-limit';
import type { Refusal } from './decide-batch.ts';
import type { SignedCheckpoint } from './ledger-reader.ts';
import { type OpenLedger, type OpenLedgerOptions, openLedger } from './open-ledger.ts';
import { readPending } from './pending-intake.ts';
import { refusePending } from './refuse-pending.ts';

export interface SequencerOptions extends OpenLedgerOptions {
  /** A fact that was acknowledged can't be sequenced: it was moved to `refused/`, and somebody should know. */
  readonly onRefused?: (refusal: Refusal) => void;
}
export interface DrainReport {
  /** Facts that are in the ledger now and were not before. */
  readonly sequenced: number;
  readonly duplicates: number;
  readonly refused: number;
  /** Facts whose previous fact isn't there yet: they stay pending, and are refused if it isn't there at the next drain either. */
  readonly waiting: number;
  readonly checkpoint: SignedCheckpoint;
}
/** The only writer of a ledger. */
export interface Sequencer {
  readonly origin: string;
  /**
   * Sequences what is pending and publishes it. Calls that overlap run one after the other. Throws LedgerError, StoreError, CatalogError;
   * then nothing acknowledged is lost, and the next call first puts in order what this one left behind.
   */
  drain(): Promise<DrainReport>;
}

/** Opens a ledger for writing: recovers it, or makes it with its first entries. Throws LedgerError. */
export async function openSequencer(options: SequencerOptions): Promise<Sequencer> {
  let open: OpenLedger | undefined = await openLedger(options);
  let waited: ReadonlySet<ObjectKey> = new Set();
  const one = pLimit(1);
  return {
    origin: options.origin,
    drain: () =>
      one(async () => {
        const ledger = open ?? (await openLedger(options));
        // If this throws, what is in memory may be behind the store: the next call opens the ledger anew.
        open = undefined;
        const { waiting, ...report } = await drainAll(ledger, options, waited);
        waited = waiting;
        open = ledger;
        return { ...report, waiting: waiting.size, checkpoint: ledger.checkpoint() };
      }),
  };
}

interface Pass {
  readonly sequenced: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly waiting: ReadonlySet<ObjectKey>;
}

/** A fact may come in a batch before the one it rests on: passes go on as long as that helps. */
async function drainAll(ledger: OpenLedger, options: SequencerOptions, waited: ReadonlySet<ObjectKey>): Promise<Pass> {
  let total = await drainPass(ledger, options);
  for (let progress = total.sequenced; progress > 0 && total.waiting.size > 0; ) {
    const pass = await drainPass(ledger, options);
    progress = pass.sequenced;
    total = added(total, pass);
  }
  // One listing may have missed a fact that was written during it; two can't.
  const lost = [...total.waiting].filter((name) => waited.has(name));
  if (lost.length > 0) await ledger.confirm();
  for (const name of lost) await refuse(options, { name, code: 'unknown-prev', reason: 'prev names a fact that is neither in the ledger nor pending' });
  return { ...total, refused: total.refused + lost.length, waiting: new Set([...total.waiting].filter((name) => !waited.has(name))) };
}

async function drainPass(ledger: OpenLedger, options: SequencerOptions): Promise<Pass> {
  let pass: Pass = { sequenced: 0, duplicates: 0, refused: 0, waiting: new Set() };
  for await (const { candidates, refused: unreadable } of readPending(options.store, ledger.rules)) {
    const decision = ledger.decide(candidates);
    const { accepted, duplicates, waiting } = decision;
    await ledger.append(decision);
    await removeAll(options.store, [...accepted.map(({ name }) => name), ...duplicates]);
    const refused = [...unreadable, ...decision.refused];
    if (refused.length > 0) await ledger.confirm();
    for (const refusal of refused) await refuse(options, refusal);
    const names = new Set([...waiting.values()].flat().map(({ name }) => name));
    pass = added(pass, { sequenced: accepted.length, duplicates: duplicates.length, refused: refused.length, waiting: new Set([...pass.waiting, ...names]) });
  }
  return pass;
}

async function refuse({ store, onRefused }: SequencerOptions, refusal: Refusal): Promise<void> {
  await refusePending(store, refusal);
  onRefused?.(refusal);
}

async function removeAll(store: Store, names: readonly ObjectKey[]): Promise<void> {
  await pLimit(REMOVALS_AT_ONCE).map(names, (name) => store.mutable.remove(name));
}

const REMOVALS_AT_ONCE = 64;

function added(total: Pass, more: Pass): Pass {
  const { sequenced, duplicates, refused, waiting } = more;
  return { sequenced: total.sequenced + sequenced, duplicates: total.duplicates + duplicates, refused: total.refused + refused, waiting };
}
