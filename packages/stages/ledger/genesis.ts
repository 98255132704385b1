import { canonicalJson, type Json, type StateFact } from '@granary/core/model';
import type { LedgerSide } from './admit.ts';
import type { KeyRegistry } from './key-registry.ts';
import { LedgerError } from './ledger-error.ts';

/** Who runs a ledger, and who may write to it. */
export interface LedgerAuthority {
  readonly side: LedgerSide;
  /** Key id of the sequencer's own role key: author of the `site` and `key-…` facts that it states itself. */
  readonly author: string;
  /** `key-added` facts that the ledger must hold before anything else; role keys name the kinds that they may write in `body.kinds`. */
  readonly keys: readonly StateFact[];
  /** Of a log that replaces one whose key was lost or retired: the last checkpoint of that one. */
  readonly previous?: { readonly origin: string; readonly size: number; readonly root: string };
}

/** First entry of a log. */
export function siteFact({ side, previous }: LedgerAuthority, origin: string, verifierKey: string): StateFact {
  return {
    kind: 'site',
    subject: 'site',
    body: { format: 1, ledger: side, origin, verifierKey, ...(previous === undefined ? {} : { previous: { ...previous } }) },
  };
}

/** `key-added` facts that the ledger lacks, each naming the one before it. Keys that were retired stay retired. Throws LedgerError `bad-request`. */
export function missingKeys({ keys }: LedgerAuthority, registry: KeyRegistry): readonly StateFact[] {
  return keys.flatMap((given) => {
    if (given.kind !== 'key-added') throw new LedgerError('bad-request', `authority: a ${given.kind} fact among the keys`);
    const known = registry.get(given.subject);
    if (known === undefined) return [{ kind: given.kind, subject: given.subject, body: given.body }];
    if (known.retiredBy !== undefined || same(known.body, given.body)) return [];
    if (known.body['publicKey'] !== given.body['publicKey']) {
      throw new LedgerError('bad-request', `authority: key ${given.subject} is in the ledger with another public key; give the new key an id of its own`);
    }
    return [{ kind: given.kind, subject: given.subject, body: given.body, prev: known.fact }];
  });
}

function same(a: { readonly [name: string]: Json }, b: { readonly [name: string]: Json }): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
