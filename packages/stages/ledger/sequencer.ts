import type { Store } from '@granary/contract/ports';
import { type ObjectKey, PENDING_PREFIX } from '@granary/core/layout';
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
  const stuck = new Set<ObjectKey>();
  const one = pLimit(1);
  return {
    origin: options.origin,
    drain: () =>
      one(async () => {
        const ledger = open ?? (await openLedger(options));
        // If this throws, what is in memory may be behind the store: the next call opens the ledger anew.
        open = undefined;
        const { waiting, ...report } = await drainAll({ ...options, ledger, stuck }, waited);
        waited = waiting;
        open = ledger;
        return { ...report, waiting: countOf(waiting), checkpoint: ledger.checkpoint() };
      }),
  };
}

interface Draining extends SequencerOptions {
  readonly ledger: OpenLedger;
  /** What can't be removed, since it is no pending object: it was refused once, and isn't looked at again. */
  readonly stuck: Set<ObjectKey>;
}
/** Objects that stay for a while, and how many facts in each wait for others. */
type Waiting = ReadonlyMap<ObjectKey, number>;

interface Pass {
  readonly sequenced: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly waiting: Waiting;
}

async function drainAll(draining: Draining, waited: Waiting): Promise<Pass> {
  let total = await drainPass(draining, pendingNames(draining), (name) => !waited.has(name));
  // A fact may come in a batch before the one it rests on: what waits is looked at again as long as that helps.
  for (let isHelping = total.sequenced > 0; isHelping && total.waiting.size > 0; ) {
    const pass = await drainPass(draining, total.waiting.keys(), () => false);
    isHelping = countOf(pass.waiting) < countOf(total.waiting);
    total = added(total, pass);
  }
  // One listing may have missed a fact that was written during it; two can't.
  const lost = [...total.waiting.keys()].filter((name) => waited.has(name));
  const last = await drainPass(draining, lost, () => false, 'give-up');
  const rest = [...total.waiting].filter(([name]) => !waited.has(name));
  return { ...added(total, last), waiting: new Map(rest) };
}

async function* pendingNames({ store, stuck }: Draining): AsyncIterable<ObjectKey> {
  for await (const name of store.objects.list(PENDING_PREFIX)) if (!stuck.has(name)) yield name;
}

/**
 * An object goes when nothing in it waits, and what is refused of it is said then. Until then what was sequenced of it comes again as a
 * duplicate: `isNew` says whose duplicates count. To give up is to refuse what waits.
 */
async function drainPass(
  draining: Draining,
  names: AsyncIterable<ObjectKey> | Iterable<ObjectKey>,
  isNew: (name: ObjectKey) => boolean,
  end?: 'give-up',
): Promise<Pass> {
  const { ledger, store } = draining;
  let total: Pass = { sequenced: 0, duplicates: 0, refused: 0, waiting: new Map() };
  for await (const { candidates, refused: unreadable } of readPending(store, names, ledger.rules)) {
    const decision = ledger.decide(candidates);
    const { accepted, duplicates } = decision;
    await ledger.append(decision);
    const unmet = [...decision.waiting.values()].flat();
    const lost = end === 'give-up' ? unmet : [];
    const waiting = new Map([...Map.groupBy(end === 'give-up' ? [] : unmet, ({ name }) => name)].map(([name, facts]) => [name, facts.length]));
    const refused = [...unreadable, ...decision.refused, ...lost.map(neverCame)].filter(({ name }) => !waiting.has(name));
    await refuseAll(draining, refused);
    const done = new Set([...accepted, ...duplicates, ...refused].map(({ name }) => name));
    await removeAll(
      store,
      [...done].filter((name) => !waiting.has(name) && !draining.stuck.has(name)),
    );
    const counted = duplicates.filter(({ name }) => isNew(name)).length;
    total = added(total, { sequenced: accepted.length, duplicates: counted, refused: refused.length, waiting: new Map([...total.waiting, ...waiting]) });
  }
  return total;
}

function neverCame(fact: Candidate): Refusal {
  return refusalOf(fact, 'unknown-prev', 'prev names a fact that is neither in the ledger nor pending');
}

async function refuseAll({ ledger, store, stuck, onRefused }: Draining, refused: readonly Refusal[]): Promise<void> {
  if (refused.length === 0) return;
  await ledger.confirm();
  await pLimit(WRITES_AT_ONCE).map(refused, (refusal) => keepRefused(store, refusal));
  for (const refusal of refused) {
    // What is too long or misnamed to be a pending object stays where it is.
    if (refusal.line === undefined || pendingName(refusal.name) === undefined) stuck.add(refusal.name);
    onRefused?.(refusal);
  }
}

async function removeAll(store: Store, names: readonly ObjectKey[]): Promise<void> {
  await pLimit(WRITES_AT_ONCE).map(names, (name) => store.mutable.remove(name));
}

const WRITES_AT_ONCE = 64;

function added(total: Pass, more: Pass): Pass {
  const { sequenced, duplicates, refused, waiting } = more;
  return { sequenced: total.sequenced + sequenced, duplicates: total.duplicates + duplicates, refused: total.refused + refused, waiting };
}

function countOf(waiting: Waiting): number {
  return [...waiting.values()].reduce((total, facts) => total + facts, 0);
}
