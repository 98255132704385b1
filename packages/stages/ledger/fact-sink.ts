import type { FactSink, LoggedStatement, RoleSigner, Store } from '@granary/contract/ports';
import { groupCommit } from '@granary/contract/work';
import { encodeEntry, type Fact, toInstant } from '@granary/core/model';
import { leafHash, MAX_LEAF_BYTES } from '@granary/core/tlog';
import { LedgerError } from './ledger-error.ts';
import { type SignedFact, signFact } from './pending-fact.ts';
import { pendingObjects } from './pending-object.ts';

export interface FactSinkOptions {
  /** The store of the ledger that the facts are for. */
  readonly store: Store;
  readonly signer: RoleSigner;
}

const LONGEST_TIME = toInstant(0);

/** Signs facts in the name of a role and puts them under `pending/`. A fact that could never be sequenced is a LedgerError `bad-request` at once. */
export function openFactSink({ store, signer }: FactSinkOptions): FactSink {
  const write = groupCommit((facts: readonly SignedFact[]) => writeAll(store, facts));
  return {
    async submit(facts) {
      const signed = await Promise.all(facts.map((given) => sign(signer, given)));
      if (signed.length > 0) await write(signed);
    },
  };
}

/** A fact that comes twice is written once. */
async function writeAll({ objects }: Store, facts: readonly SignedFact[]): Promise<void> {
  const each = new Map(facts.map((fact) => [fact.key, fact]));
  for (const { key, bytes } of pendingObjects([...each.values()])) await objects.putOnce(key, bytes);
}

async function sign(signer: RoleSigner, given: Fact | LoggedStatement): Promise<SignedFact> {
  if (!('leaf' in given)) return await signFact(signer, sizeChecked(given, signer.keyId));
  const { fact, leaf } = given;
  if (leaf.length > MAX_LEAF_BYTES) throw new LedgerError('bad-request', `submit ${fact.subject}: a leaf of ${leaf.length} bytes, at most ${MAX_LEAF_BYTES}`);
  if (fact.body['leaf'] !== Buffer.from(leafHash(leaf)).toString('hex')) {
    throw new LedgerError('bad-request', `submit ${fact.subject}: body.leaf is not the RFC 6962 hash of the leaf`);
  }
  return await signFact(signer, sizeChecked(fact, signer.keyId), leaf);
}

function sizeChecked<F extends Fact>(fact: F, author: string): F {
  try {
    encodeEntry(fact, author, LONGEST_TIME);
    return fact;
  } catch (cause) {
    throw new LedgerError('bad-request', `submit ${fact.kind} ${fact.subject}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
