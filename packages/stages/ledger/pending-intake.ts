import { verify } from 'node:crypto';
import { promisify } from 'node:util';
import { type Store, StoreError } from '@granary/contract/ports';
import { type ObjectKey, PENDING_PREFIX } from '@granary/core/layout';
import { factKey, type Sha256, sha256 } from '@granary/core/model';
import pLimit from 'p-limit';
import { type AdmissionRules, needsApproval, type RefusalCode } from './admit.ts';
import type { Candidate, Refusal } from './decide-batch.ts';
import { parsePending, signedBytes } from './pending-fact.ts';
import { linesOf, MAX_OBJECT_BYTES, MAX_OBJECT_FACTS, pendingName } from './pending-object.ts';

/** Facts of one batch, after which no more objects are read; each statement is two leaves. */
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
    if (names.length < READS_AT_ONCE) continue;
    read.push(...(await readAll(store, names, rules)));
    names = [];
    if (read.length < MAX_BATCH_FACTS && bytesOf(read) < MAX_BATCH_BYTES) continue;
    yield intakeOf(read);
    read = [];
  }
  read.push(...(await readAll(store, names, rules)));
  if (read.length > 0) yield intakeOf(read);
}

type Read = { readonly candidate: Candidate } | { readonly refusal: Refusal };

const verifySignature = promisify(verify);

async function readAll(store: Store, names: readonly ObjectKey[], rules: IntakeRules): Promise<readonly Read[]> {
  return (await pLimit(READS_AT_ONCE).map(names, (name) => readObject(store, name, rules))).flat();
}

async function readObject(store: Store, name: ObjectKey, rules: IntakeRules): Promise<readonly Read[]> {
  const bytes = await readBounded(store, name);
  if (bytes === undefined) return [];
  if (bytes === 'too-large') return [{ refusal: { name, code: 'malformed', reason: `more than ${MAX_OBJECT_BYTES} bytes` } }];
  const lines = linesOf(bytes);
  if (lines.length > MAX_OBJECT_FACTS) return [{ refusal: { name, code: 'malformed', reason: `more than ${MAX_OBJECT_FACTS} facts`, line: bytes } }];
  const named = pendingName(name);
  const isNamed = named?.content === sha256(bytes);
  return await Promise.all(lines.map((line, at) => readFact({ name, line, ...(at === 0 ? { key: named?.factKey } : {}) }, isNamed, rules)));
}

/** A line of an object; the first has its key in the object's name. */
interface Line {
  readonly name: ObjectKey;
  readonly line: Uint8Array;
  readonly key?: Sha256 | undefined;
}

async function readFact({ name, line, key: stated }: Line, isNamed: boolean, rules: IntakeRules): Promise<Read> {
  const refusal = (code: RefusalCode, reason: string, key = stated): Read => ({ refusal: { name, line, code, reason, ...(key === undefined ? {} : { key }) } });
  const parsed = parsePending(line);
  if (parsed.type === 'malformed') return refusal('malformed', parsed.why);
  if (parsed.type === 'foreign-kind') {
    if (needsApproval(parsed.kind)) return refusal('needs-approval', `${parsed.kind} needs the approval of a second person, and approvals do not exist yet`);
    return refusal('unknown-kind', `${JSON.stringify(parsed.kind.slice(0, 80))} is no kind of fact that this version sequences, or lacks what that kind needs`);
  }
  const { pending } = parsed;
  const key = factKey(pending.fact);
  if (!isNamed || (stated !== undefined && stated !== key)) return refusal('malformed', 'its name is not made of the fact and the bytes');
  const candidate: Read = { candidate: { name, key, line, pending } };
  const unauthorized = rules.registry.refusal(pending.author, pending.fact.kind);
  // What the ledger holds is dropped as a duplicate, also when its author was retired since.
  if (unauthorized !== undefined) return rules.view.holds(pending.fact, key) ? candidate : refusal('author', unauthorized, key);
  const publicKey = rules.registry.publicKey(pending.author);
  // With a callback it runs on the thread pool, beside our own work.
  const signed = publicKey !== undefined && (await verifySignature(null, signedBytes(pending.fact), publicKey, pending.signature));
  return signed ? candidate : refusal('signature', `the signature is not that of ${pending.author}`, key);
}

async function readBounded({ objects }: Store, name: ObjectKey): Promise<Uint8Array | undefined | 'too-large'> {
  try {
    return await objects.get(name, MAX_OBJECT_BYTES);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-large') return 'too-large';
    throw error;
  }
}

function bytesOf(read: readonly Read[]): number {
  return read.reduce((total, one) => total + (('candidate' in one ? one.candidate : one.refusal).line?.length ?? 0), 0);
}

function intakeOf(read: readonly Read[]): Intake {
  return {
    candidates: read.flatMap((one) => ('candidate' in one ? [one.candidate] : [])),
    refused: read.flatMap((one) => ('refusal' in one ? [one.refusal] : [])),
  };
}
