import { verify } from 'node:crypto';
import { promisify } from 'node:util';
import { type Store, StoreError } from '@granary/contract/ports';
import { type ObjectKey, PENDING_PREFIX } from '@granary/core/layout';
import { factKey, type Sha256, sha256 } from '@granary/core/model';
import pLimit from 'p-limit';
import { type AdmissionRules, needsApproval, type RefusalCode } from './admit.ts';
import type { Candidate, Refusal } from './decide-batch.ts';
import { type ParsedPending, parsePending, signedBytes } from './pending-fact.ts';
import { linesOf, MAX_LINE_BYTES, MAX_OBJECT_BYTES, MAX_OBJECT_FACTS, pendingName } from './pending-object.ts';

/** Facts of one batch, and objects go whole; each statement is two leaves. What a batch takes to decide and fold, nobody else gets of this process. */
const MAX_BATCH_FACTS = 1024;
const MAX_BATCH_BYTES = 16_777_216;
const READS_AT_ONCE = 64;
const CHECKS_AT_ONCE = 64;

export type IntakeRules = Pick<AdmissionRules, 'registry' | 'view'>;
export interface Intake {
  readonly candidates: readonly Candidate[];
  readonly refused: readonly Refusal[];
}

/** Reads pending objects in batches that fit into memory. What is removed by others in between is passed over. */
export async function* readPending(store: Store, names: AsyncIterable<ObjectKey> | Iterable<ObjectKey>, rules: IntakeRules): AsyncIterable<Intake> {
  let batch: ObjectRead[] = [];
  for await (const some of chunksOf(names, READS_AT_ONCE)) {
    for (const read of await readAll(store, some, rules)) {
      if (batch.length > 0 && isFull([...batch, read])) {
        yield intakeOf(batch);
        batch = [];
      }
      batch.push(read);
    }
  }
  if (batch.length > 0) yield intakeOf(batch);
}

/** Names of the objects in which a fact lies pending. */
export async function findPending(store: Store, key: Sha256): Promise<ReadonlySet<ObjectKey>> {
  const holding = new Set<ObjectKey>();
  for await (const name of store.objects.list(PENDING_PREFIX)) {
    const bytes = await readBounded(store, name);
    const parsed = typeof bytes === 'object' ? linesOf(bytes).map(parsePending) : [];
    if (parsed.some((one) => one.type === 'fact' && factKey(one.pending.fact) === key)) holding.add(name);
  }
  return holding;
}

interface ObjectRead extends Intake {
  readonly sizeBytes: number;
}

const verifySignature = promisify(verify);

function isFull(batch: readonly ObjectRead[]): boolean {
  const facts = batch.reduce((total, { candidates }) => total + candidates.length, 0);
  return facts > MAX_BATCH_FACTS || batch.reduce((total, { sizeBytes }) => total + sizeBytes, 0) > MAX_BATCH_BYTES;
}

function intakeOf(batch: readonly ObjectRead[]): Intake {
  return { candidates: batch.flatMap(({ candidates }) => candidates), refused: batch.flatMap(({ refused }) => refused) };
}

async function* chunksOf(names: AsyncIterable<ObjectKey> | Iterable<ObjectKey>, size: number): AsyncIterable<readonly ObjectKey[]> {
  let chunk: ObjectKey[] = [];
  for await (const name of names) {
    chunk.push(name);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

async function readAll(store: Store, names: readonly ObjectKey[], rules: IntakeRules): Promise<readonly ObjectRead[]> {
  const checks = pLimit(CHECKS_AT_ONCE);
  const check = (lines: readonly PendingLine[]) => checks.map(lines, (line) => checkFact(line, rules));
  const read = await pLimit(READS_AT_ONCE).map(names, (name) => readObject(store, name, check));
  return read.filter((one) => one !== undefined);
}

/** Only sinks write objects, and whole: where one line is none, or the name is of others, there was no sink, and it is refused at once. */
async function readObject(
  store: Store,
  name: ObjectKey,
  check: (lines: readonly PendingLine[]) => Promise<readonly Checked[]>,
): Promise<ObjectRead | undefined> {
  const bytes = await readBounded(store, name);
  if (bytes === undefined) return undefined;
  const named = pendingName(name);
  const refused = (reason: string, line?: Uint8Array): ObjectRead => ({
    candidates: [],
    refused: [{ name, code: 'malformed', reason, ...(named === undefined ? {} : { key: named.factKey }), ...(line === undefined ? {} : { line }) }],
    sizeBytes: line?.length ?? 0,
  });
  if (bytes === 'too-large') return refused(`more than ${MAX_OBJECT_BYTES} bytes`);
  if (named?.content !== sha256(bytes)) return refused('its name is not made of the fact and the bytes', bytes);
  const lines = linesOf(bytes);
  if (lines.length > MAX_OBJECT_FACTS) return refused(`more than ${MAX_OBJECT_FACTS} facts`, bytes);
  if (lines.some((line) => line.length > MAX_LINE_BYTES)) return refused(`a fact of more than ${MAX_LINE_BYTES} bytes`, bytes);
  const facts: PendingLine[] = [];
  for (const line of lines) {
    const parsed = parsePending(line);
    if (parsed.type === 'malformed') return refused(parsed.why, bytes);
    facts.push({ name, line, parsed });
  }
  const first = facts[0]?.parsed;
  if (first?.type === 'fact' && factKey(first.pending.fact) !== named.factKey) return refused('its name is not made of the fact and the bytes', bytes);
  const checked = await check(facts);
  return {
    candidates: checked.flatMap((one) => ('candidate' in one ? [one.candidate] : [])),
    refused: checked.flatMap((one) => ('refusal' in one ? [one.refusal] : [])),
    sizeBytes: bytes.length,
  };
}

interface PendingLine {
  readonly name: ObjectKey;
  readonly line: Uint8Array;
  readonly parsed: Exclude<ParsedPending, { type: 'malformed' }>;
}
type Checked = { readonly candidate: Candidate } | { readonly refusal: Refusal };

async function checkFact({ name, line, parsed }: PendingLine, rules: IntakeRules): Promise<Checked> {
  if (parsed.type === 'foreign-kind') return { refusal: { name, line, ...whyForeign(parsed.kind) } };
  const { pending } = parsed;
  const key = factKey(pending.fact);
  const refused = (code: RefusalCode, reason: string): Checked => ({ refusal: { name, line, key, code, reason } });
  const candidate: Checked = { candidate: { name, key, line, pending } };
  const unauthorized = rules.registry.refusal(pending.author, pending.fact.kind);
  // What the ledger holds is dropped as a duplicate, also when its author was retired since.
  if (unauthorized !== undefined) return rules.view.holds(pending.fact, key) ? candidate : refused('author', unauthorized);
  const publicKey = rules.registry.publicKey(pending.author);
  // With a callback it runs on the thread pool, beside our own work.
  const signed = publicKey !== undefined && (await verifySignature(null, signedBytes(pending.fact), publicKey, pending.signature));
  return signed ? candidate : refused('signature', `the signature is not that of ${pending.author}`);
}

function whyForeign(kind: string): Pick<Refusal, 'code' | 'reason'> {
  if (needsApproval(kind)) return { code: 'needs-approval', reason: `${kind} needs the approval of a second person, and approvals do not exist yet` };
  return { code: 'unknown-kind', reason: `${JSON.stringify(kind.slice(0, 80))} is no kind of fact that this version sequences, or lacks what that kind needs` };
}

async function readBounded({ objects }: Store, name: ObjectKey): Promise<Uint8Array | undefined | 'too-large'> {
  try {
    return await objects.get(name, MAX_OBJECT_BYTES);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-large') return 'too-large';
    throw error;
  }
}
