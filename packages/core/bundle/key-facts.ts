import { type Fact, type Json, parseSha256, type Sha256, type StateFact } from '../model/index.ts';
import type { VerifierKey } from '../tlog/index.ts';
import { readLedgerKey } from './log-key.ts';

/** A key that verifiers care for. Keys of those who write facts are the ledger's business; their facts have the same form. */
export interface AddedKey {
  readonly role: 'statement' | 'ledger';
  readonly keyId: string;
  /** PEM; for a ledger its verifier key. */
  readonly publicKey: string;
  /** Of a ledger: names the envelope in which the statement key vouches for it. */
  readonly endorsement?: Sha256;
}

/** Such a key may author no fact: `kinds` is empty. */
export function keyAddedFact({ role, keyId, publicKey, endorsement }: AddedKey): StateFact {
  return { kind: 'key-added', subject: keyId, body: { role, kinds: [], publicKey, ...(endorsement === undefined ? {} : { endorsement }) } };
}

/** `validBefore`: what the key signed at this index or later doesn't count, even if it lies before the retirement (a stolen key). */
export function keyRetiredFact(keyId: string, reason: 'rotated' | 'lost' | 'compromised', validBefore?: number): StateFact {
  return { kind: 'key-retired', subject: keyId, body: { reason, ...(validBefore === undefined ? {} : { validBefore }) } };
}

/** Half-open range of ledger indexes in which leaves signed by a key count. */
export interface KeyRange {
  readonly from: number;
  /** Absent while the key is in use. */
  readonly before?: number;
  readonly reason?: string;
}
export interface KeyHistory {
  /** Statement keys by key id. */
  readonly statementKeys: ReadonlyMap<string, KeyRange>;
  /** Ledgers that the site says are its own: to be believed only with the endorsement. */
  readonly ledgers: readonly { readonly log: VerifierKey; readonly endorsement: Sha256 }[];
}

/** Folds the key facts of one ledger, given in its order. A retired key never comes back: the first range stands. */
export function keyHistory(facts: Iterable<{ readonly index: number; readonly fact: Fact }>): KeyHistory {
  const statementKeys = new Map<string, KeyRange>();
  const ledgers: { log: VerifierKey; endorsement: Sha256 }[] = [];
  for (const { index, fact } of facts) {
    const { kind, subject, body } = fact;
    if (kind === 'key-added' && body['role'] === 'statement' && !statementKeys.has(subject)) statementKeys.set(subject, { from: index });
    if (kind === 'key-added' && body['role'] === 'ledger') ledgers.push(...endorsedLedger(body));
    const range = statementKeys.get(subject);
    if (kind === 'key-retired' && range !== undefined && range.before === undefined) statementKeys.set(subject, retire(range, index, body));
  }
  return { statementKeys, ledgers };
}

function retire({ from }: KeyRange, index: number, { validBefore, reason }: { readonly [name: string]: Json }): KeyRange {
  const before = typeof validBefore === 'number' ? Math.min(index, validBefore) : index;
  return { from, before, ...(typeof reason === 'string' ? { reason } : {}) };
}

function endorsedLedger({ publicKey, endorsement }: { readonly [name: string]: Json }): readonly { log: VerifierKey; endorsement: Sha256 }[] {
  const envelope = typeof endorsement === 'string' ? parseSha256(endorsement) : undefined;
  return typeof publicKey === 'string' && envelope !== undefined ? [{ log: readLedgerKey(publicKey), endorsement: envelope }] : [];
}
