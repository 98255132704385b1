import type { Store } from '@granary/contract/ports';
import type { ObjectKey } from '@granary/core/layout';
import pLimit from 'p-limit';
import { type Candidate, type Refusal, refusalOf } from './decide-batch.ts';
import { keepRefused } from './keep-refused.ts';
import type { SignedCheckpoint } from './ledger-reader.ts';
import { type OpenLedger, type OpenLedgerOptions, openLedger } from './open-ledger.ts';
import { readPending } from './pending-intake.ts';
import { pendingName } from './pending-object.ts';

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
  let waited: Waiting = new Map();
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
        return { ...report, waiting: countOf(waiting), checkpoint: ledger.checkpoint() };
      }),
  };
}

/** Objects that stay for a while, since facts in them wait for others: what is refused of each as soon as nothing in it waits. */
type Waiting = ReadonlyMap<ObjectKey, Kept>;
interface Kept {
  readonly facts: readonly Candidate[];
  readonly refused: readonly Refusal[];
}

interface Pass {
  readonly sequenced: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly waiting: Waiting;
}

/** A fact may come in a batch before the one it rests on: passes go on as long as that helps. */
async function drainAll(ledger: OpenLedger, options: SequencerOptions, waited: Waiting): Promise<Pass> {
  let total = await drainPass(ledger, options, waited);
  for (let progress = total.sequenced; progress > 0 && total.waiting.size > 0; ) {
    const pass = await drainPass(ledger, options, total.waiting);
    progress = pass.sequenced;
    total = added(total, pass);
  }
  // One listing may have missed a fact that was written during it; two can't.
  const lost = [...total.waiting].filter(([name]) => waited.has(name));
  const refused = lost.flatMap(([, { facts, refused: others }]) => [...facts.map(neverCame), ...others]);
  await refuseAll(ledger, options, refused);
  await removeAll(
    options.store,
    lost.map(([name]) => name),
  );
  return { ...total, refused: total.refused + refused.length, waiting: new Map([...total.waiting].filter(([name]) => !waited.has(name))) };
}

function neverCame(fact: Candidate): Refusal {
  return refusalOf(fact, 'unknown-prev', 'prev names a fact that is neither in the ledger nor pending');
}

/** An object goes when nothing in it waits. Until then what was sequenced of it comes again as a duplicate, which counts once. */
async function drainPass(ledger: OpenLedger, options: SequencerOptions, before: Waiting): Promise<Pass> {
  let pass: Pass = { sequenced: 0, duplicates: 0, refused: 0, waiting: new Map() };
  for await (const { candidates, refused: unreadable } of readPending(options.store, ledger.rules)) {
    const decision = ledger.decide(candidates);
    const { accepted, duplicates } = decision;
    await ledger.append(decision);
    const refused = [...unreadable, ...decision.refused];
    const waiting = keptOf([...decision.waiting.values()].flat(), refused);
    const final = refused.filter(({ name }) => !waiting.has(name));
    await refuseAll(ledger, options, final);
    const done = new Set([...accepted, ...duplicates, ...final.filter(isRemovable)].map(({ name }) => name));
    await removeAll(
      options.store,
      [...done].filter((name) => !waiting.has(name)),
    );
    pass = added(pass, {
      sequenced: accepted.length,
      duplicates: duplicates.filter(({ name }) => !before.has(name)).length,
      refused: final.length,
      waiting: new Map([...pass.waiting, ...waiting]),
    });
  }
  return pass;
}

function keptOf(facts: readonly Candidate[], refused: readonly Refusal[]): Waiting {
  const byName = Map.groupBy(facts, ({ name }) => name);
  return new Map([...byName].map(([name, waiting]) => [name, { facts: waiting, refused: refused.filter((refusal) => refusal.name === name) }]));
}

/** What is too long or misnamed to be a pending object stays where it is, and is recorded. */
function isRemovable({ name, line }: Refusal): boolean {
  return line !== undefined && pendingName(name) !== undefined;
}

async function refuseAll(ledger: OpenLedger, { store, onRefused }: SequencerOptions, refused: readonly Refusal[]): Promise<void> {
  if (refused.length === 0) return;
  await ledger.confirm();
  for (const refusal of refused) {
    await keepRefused(store, refusal);
    onRefused?.(refusal);
  }
}

async function removeAll(store: Store, names: readonly ObjectKey[]): Promise<void> {
  await pLimit(REMOVALS_AT_ONCE).map(names, (name) => store.mutable.remove(name));
}

const REMOVALS_AT_ONCE = 64;

function added(total: Pass, more: Pass): Pass {
  const { sequenced, duplicates, refused, waiting } = more;
  return { sequenced: total.sequenced + sequenced, duplicates: total.duplicates + duplicates, refused: total.refused + refused, waiting };
}

function countOf(waiting: Waiting): number {
  return [...waiting.values()].reduce((total, { facts }) => total + facts.length, 0);
}
