import { type Fact, isState, PRIVATE_KINDS, type Sha256 } from '@granary/core/model';
import { leafHash } from '@granary/core/tlog';
import type { KeyRegistry } from './key-registry.ts';
import type { LedgerView } from './ledger-view.ts';
import type { PendingFact } from './pending-fact.ts';

/** `public` holds evidence and verdicts, `private` the operator's business (DESIGN, Public and private). */
export type LedgerSide = 'public' | 'private';

export type RefusalCode =
  | 'malformed'
  | 'unknown-kind'
  | 'needs-approval'
  | 'wrong-ledger'
  | 'author'
  | 'signature'
  | 'stale-prev'
  | 'unknown-prev'
  | 'leaf'
  | 'too-large';

export type Admission =
  | { readonly type: 'accepted' }
  /** The ledger has a fact of that key: it counts as success. */
  | { readonly type: 'duplicate' }
  /** Names a previous fact that isn't there yet. */
  | { readonly type: 'waiting'; readonly prev: Sha256 }
  | { readonly type: 'refused'; readonly code: RefusalCode; readonly reason: string };

export interface AdmissionRules {
  readonly side: LedgerSide;
  readonly registry: KeyRegistry;
  readonly view: LedgerView;
}

/** May this fact of that key, whose signature is checked elsewhere, be sequenced next? */
export function admit({ fact, author, leaf }: PendingFact, key: Sha256, { side, registry, view }: AdmissionRules): Admission {
  if (view.holds(fact, key)) return { type: 'duplicate' };
  if (!belongsTo(fact.kind, side)) return refused('wrong-ledger', `${fact.kind} is no fact of the ${side} ledger`);
  const unauthorized = registry.refusal(author, fact.kind);
  if (unauthorized !== undefined) return refused('author', unauthorized);
  const leafProblem = problemOfLeaf(fact, leaf);
  if (leafProblem !== undefined) return refused('leaf', leafProblem);
  return isState(fact) ? admitState(fact, view) : { type: 'accepted' };
}

/** Key and site facts are of every ledger, each about its own. */
function belongsTo(kind: string, side: LedgerSide): boolean {
  if (kind === 'site' || kind.startsWith('key-')) return true;
  return PRIVATE_KINDS.has(kind) === (side === 'private');
}

/** Kinds that only count with the approval of a second person; there are no approvals yet, so nobody may write them. */
export function needsApproval(kind: string): boolean {
  return kind === 'withheld' || kind === 'erased' || kind.startsWith('fork-');
}

function admitState(fact: Fact & { readonly prev?: Sha256 }, view: LedgerView): Admission {
  const current = view.current(fact);
  if (fact.prev === current) return { type: 'accepted' };
  if (fact.prev !== undefined && !view.holds(fact, fact.prev)) return { type: 'waiting', prev: fact.prev };
  return refused('stale-prev', `prev is ${fact.prev ?? 'absent'}, but the newest ${fact.kind} about ${fact.subject} is ${current ?? 'none'}`);
}

function problemOfLeaf({ kind, body }: Fact, leaf: Uint8Array | undefined): string | undefined {
  if (kind !== 'attested') return leaf === undefined ? undefined : `${kind} brings a leaf: only attested may`;
  if (leaf === undefined) return 'attested without the leaf of its statement';
  const hash = Buffer.from(leafHash(leaf)).toString('hex');
  return body['leaf'] === hash ? undefined : `body.leaf is ${JSON.stringify(body['leaf'])}, but the leaf has ${hash}`;
}

function refused(code: RefusalCode, reason: string): Admission {
  return { type: 'refused', code, reason };
}
