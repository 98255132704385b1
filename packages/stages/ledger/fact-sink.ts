import type { FactSink, LoggedStatement, RoleSigner, Store } from '@granary/contract/ports';
import { encodeEntry, type Fact, toInstant } from '@granary/core/model';
import { leafHash, MAX_LEAF_BYTES } from '@granary/core/tlog';
import pLimit from 'p-limit';
import { LedgerError } from './ledger-error.ts';
import { signPending } from './pending-fact.ts';

export interface FactSinkOptions {
  /** The store of the ledger that the facts are for. */
  readonly store: Store;
  readonly signer: RoleSigner;
}

/** Writes at once that share one sync of a folder. */
const WRITES_AT_ONCE = 64;
const LONGEST_TIME = toInstant(0);

/** Signs facts in the name of a role and puts them under `pending/`. A fact that could never be sequenced is a LedgerError `bad-request` at once. */
export function openFactSink({ store, signer }: FactSinkOptions): FactSink {
  const limit = pLimit(WRITES_AT_ONCE);
  return {
    async submit(facts) {
      const signed = await Promise.all(facts.map((given) => sign(signer, given)));
      await limit.map(signed, async ({ key, bytes }) => store.objects.putOnce(key, bytes));
    },
  };
}

function sign(signer: RoleSigner, given: Fact | LoggedStatement): ReturnType<typeof signPending> {
  if (!('leaf' in given)) return signPending(signer, sizeChecked(given, signer.keyId));
  const { fact, leaf } = given;
  if (leaf.length > MAX_LEAF_BYTES) throw new LedgerError('bad-request', `submit ${fact.subject}: a leaf of ${leaf.length} bytes, at most ${MAX_LEAF_BYTES}`);
  if (fact.body['leaf'] !== Buffer.from(leafHash(leaf)).toString('hex')) {
    throw new LedgerError('bad-request', `submit ${fact.subject}: body.leaf is not the RFC 6962 hash of the leaf`);
  }
  return signPending(signer, sizeChecked(fact, signer.keyId), leaf);
}

function sizeChecked<F extends Fact>(fact: F, author: string): F {
  try {
    encodeEntry(fact, author, LONGEST_TIME);
    return fact;
  } catch (cause) {
    throw new LedgerError('bad-request', `submit ${fact.kind} ${fact.subject}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
