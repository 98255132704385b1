import type { ObjectKey } from '@granary/core/layout';
import { COMPUTED_KINDS, encodeEntry, type Fact, type Instant, RUN_KINDS, type Sha256, STATE_KINDS } from '@granary/core/model';
import { type AdmissionRules, admit, type RefusalCode } from './admit.ts';
import { growingView } from './ledger-view.ts';
import type { PendingFact } from './pending-fact.ts';

/** A pending fact whose signature holds. */
export interface Candidate {
  /** Of the object in which it lies, as a line among others. */
  readonly name: ObjectKey;
  readonly key: Sha256;
  readonly line: Uint8Array;
  readonly pending: PendingFact;
}
interface Accepted extends Candidate {
  /** What goes into the log for it, in order. */
  readonly leaves: readonly Uint8Array[];
}
/** Why a fact, or a whole object that holds none, can't be sequenced. */
export interface Refusal {
  readonly name: ObjectKey;
  readonly code: RefusalCode;
  readonly reason: string;
  /** Of the fact, where one can be read and is of a kind that is known. */
  readonly key?: Sha256;
  /** What is refused, one line or all of the object; absent when it is too long to be looked at. */
  readonly line?: Uint8Array;
}
export interface Decision {
  readonly accepted: readonly Accepted[];
  readonly duplicates: readonly Candidate[];
  /** Facts whose previous fact isn't there, by its key. */
  readonly waiting: ReadonlyMap<Sha256, readonly Candidate[]>;
  readonly refused: readonly Refusal[];
}

/**
 * Chooses and orders the next batch: what others rest on first, then by key, so that the order is a function of what is there.
 * The registry learns keys as they are accepted, so that who may write is as it will stand at each place in the log.
 */
export function decideBatch(candidates: readonly Candidate[], rules: AdmissionRules, at: Instant): Decision {
  const view = growingView(rules.view);
  const accepted: Accepted[] = [];
  const duplicates: Candidate[] = [];
  const waiting = new Map<Sha256, Candidate[]>();
  const refused: Refusal[] = [];

  // Last first, as a stack: what waited for a fact goes right behind it.
  const stack = candidates.toSorted(byRank).reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { key, pending } = next;
    const admission = admitEncoded(next, { ...rules, view }, at);
    switch (admission.type) {
      case 'accepted':
        accepted.push({ ...next, leaves: admission.leaves });
        view.add(pending.fact, key);
        rules.registry.learn({ ...pending.fact, granary: 1, author: pending.author, at });
        stack.push(...(waiting.get(key) ?? []));
        waiting.delete(key);
        break;
      case 'duplicate':
        duplicates.push(next);
        break;
      case 'waiting':
        waitingFor(waiting, admission.prev).push(next);
        break;
      case 'refused':
        refused.push(refusalOf(next, admission.code, admission.reason));
    }
  }
  return { accepted, duplicates, waiting, refused };
}

function waitingFor(waiting: Map<Sha256, Candidate[]>, prev: Sha256): Candidate[] {
  const known = waiting.get(prev) ?? [];
  waiting.set(prev, known);
  return known;
}

export function refusalOf({ name, key, line }: Candidate, code: RefusalCode, reason: string): Refusal {
  return { name, key, line, code, reason };
}

type EncodedAdmission = Exclude<ReturnType<typeof admit>, { type: 'accepted' }> | { readonly type: 'accepted'; readonly leaves: readonly Uint8Array[] };

function admitEncoded({ key, pending }: Candidate, rules: AdmissionRules, at: Instant): EncodedAdmission {
  const admission = admit(pending, key, rules);
  if (admission.type !== 'accepted') return admission;
  try {
    const entry = encodeEntry(pending.fact, pending.author, at);
    return { type: 'accepted', leaves: pending.leaf === undefined ? [entry] : [pending.leaf, entry] };
  } catch (error) {
    if (error instanceof RangeError) return { type: 'refused', code: 'too-large', reason: error.message };
    throw error;
  }
}

const RANKS = new Map<string, number>([...STATE_KINDS, ...COMPUTED_KINDS, ...RUN_KINDS].map((kind, rank) => [kind, rank]));

function byRank(a: Candidate, b: Candidate): number {
  return rankOf(a.pending.fact) - rankOf(b.pending.fact) || (a.key < b.key ? -1 : Number(a.key > b.key));
}

function rankOf({ kind }: Fact): number {
  return RANKS.get(kind) ?? RANKS.size;
}
