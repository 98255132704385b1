import { verify } from 'node:crypto';
import { promisify } from 'node:util';
import { type Store, StoreError } from '@granary/contract/ports';
import { type ObjectKey, PENDING_PREFIX } from '@granary/core/layout';
import { factKey, sha256 } from '@granary/core/model';
import pLimit from 'p-limit';
import { type AdmissionRules, needsApproval } from './admit.ts';
import type { Candidate, Refusal } from './decide-batch.ts';
import { MAX_PENDING_BYTES, parsePending, pendingName, signedBytes } from './pending-fact.ts';

/** Facts of one batch, at most; each statement is two leaves. */
const MAX_BATCH_FACTS = 4096;
const MAX_BATCH_BYTES = 16_777_216;
const READS_AT_ONCE = 64;

export type IntakeRules = Pick<AdmissionRules, 'registry' | 'view'>;
export interface Intake {
  readonly candidates: readonly Candidate[];
  readonly refused: readonly Refusal[];
}

/** Reads `pending/` in batches that fit into memory. What is removed by others in between is passed over. */
export async function* readPending(store: Store, rules: IntakeRules): AsyncIterable<Intake> {
  let names: ObjectKey[] = [];
  let read: Read[] = [];
  for await (const name of store.objects.list(PENDING_PREFIX)) {
    names.push(name);
    if (names.length < READS_AT_ONCE * 4) continue;
    read.push(...(await readAll(store, names, rules)));
    names = [];
    if (read.length < MAX_BATCH_FACTS && bytesOf(read) < MAX_BATCH_BYTES) continue;
    yield intakeOf(read);
    read = [];
  }
  read.push(...(await readAll(store, names, rules)));
  if (read.length > 0) yield intakeOf(read);
}

type Read = { readonly candidate: Candidate; readonly bytes: number } | { readonly refusal: Refusal };

const verifySignature = promisify(verify);

async function readAll(store: Store, names: readonly ObjectKey[], rules: IntakeRules): Promise<readonly Read[]> {
  const read = await pLimit(READS_AT_ONCE).map(names, (name) => readOne(store, name, rules));
  return read.filter((one) => one !== undefined);
}

async function readOne(store: Store, name: ObjectKey, rules: IntakeRules): Promise<Read | undefined> {
  const refusal = (code: Refusal['code'], reason: string): Read => ({ refusal: { name, code, reason } });
  const bytes = await readBounded(store, name);
  if (bytes === undefined) return undefined;
  if (bytes === 'too-large') return refusal('malformed', `more than ${MAX_PENDING_BYTES} bytes`);
  const parsed = parsePending(bytes);
  if (parsed.type === 'malformed') return refusal('malformed', parsed.why);
  if (parsed.type === 'foreign-kind') {
    if (needsApproval(parsed.kind)) return refusal('needs-approval', `${parsed.kind} needs the approval of a second person, and approvals do not exist yet`);
    return refusal('unknown-kind', `${JSON.stringify(parsed.kind.slice(0, 80))} is no kind of fact that this version sequences, or lacks what that kind needs`);
  }
  const { pending } = parsed;
  const key = factKey(pending.fact);
  const named = pendingName(name);
  if (named?.factKey !== key || named.content !== sha256(bytes)) return refusal('malformed', 'its name is not made of the fact and the bytes');
  const candidate: Read = { candidate: { name, key, pending }, bytes: bytes.length };
  const unauthorized = rules.registry.refusal(pending.author, pending.fact.kind);
  // What the ledger holds is dropped as a duplicate, also when its author was retired since.
  if (unauthorized !== undefined) return rules.view.holds(pending.fact, key) ? candidate : refusal('author', unauthorized);
  const publicKey = rules.registry.publicKey(pending.author);
  // With a callback it runs on the thread pool, beside our own work.
  const signed = publicKey !== undefined && (await verifySignature(null, signedBytes(pending.fact), publicKey, pending.signature));
  return signed ? candidate : refusal('signature', `the signature is not that of ${pending.author}`);
}

async function readBounded({ objects }: Store, name: ObjectKey): Promise<Uint8Array | undefined | 'too-large'> {
  try {
    return await objects.get(name, MAX_PENDING_BYTES);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-large') return 'too-large';
    throw error;
  }
}

function bytesOf(read: readonly Read[]): number {
  return read.reduce((total, one) => total + ('bytes' in one ? one.bytes : 0), 0);
}

function intakeOf(read: readonly Read[]): Intake {
  return {
    candidates: read.flatMap((one) => ('candidate' in one ? [one.candidate] : [])),
    refused: read.flatMap((one) => ('refusal' in one ? [one.refusal] : [])),
  };
}
