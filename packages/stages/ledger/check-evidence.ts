import { createHash } from 'node:crypto';
import type { BlobStore, ObjectStore } from '@granary/contract/ports';
import { BundleError, envelopeId, MAX_ENVELOPE_BYTES, parseEnvelope } from '@granary/core/bundle';
import { envelopeKey } from '@granary/core/layout';
import { type Entry, parseSha256, type Sha256, sha256 } from '@granary/core/model';
import pLimit from 'p-limit';
import type { ProblemList } from './ledger-problem.ts';
import { type NamedBlob, namedBlobs } from './named-blobs.ts';

/** `digest` reads and hashes every blob, `presence` only asks whether it is there, `none` does neither. */
export type BlobCheck = 'digest' | 'presence' | 'none';

export interface EvidenceSource {
  /** Where envelopes lie. */
  readonly objects: Pick<ObjectStore, 'get'>;
  /** Where blobs lie; the first that has one counts. */
  readonly blobs: readonly BlobStore[];
}
/** Looks for what facts name, each only once. */
export interface EvidenceCheck {
  next(index: number, entry: Entry): void;
  /** Resolves when so much of the work is done that more may be given. */
  room(): Promise<void>;
  /** Resolves when all is done, to how many blobs were looked at. */
  done(): Promise<number>;
}

const LOOKS_AT_ONCE = 8;
const MAX_WAITING = 1024;

export function evidenceCheck(source: EvidenceSource, how: BlobCheck, problems: ProblemList): EvidenceCheck {
  const limit = pLimit(LOOKS_AT_ONCE);
  const seen = new Set<Sha256>();
  const running = new Set<Promise<void>>();

  const start = (work: () => Promise<void>): void => {
    const one: Promise<void> = limit(work).finally(() => running.delete(one));
    running.add(one);
  };
  return {
    next(index, entry) {
      for (const blob of how === 'none' ? [] : namedBlobs(entry)) {
        if (seen.has(blob.digest)) continue;
        seen.add(blob.digest);
        start(() => checkBlob(source, { index, entry, blob, how, problems }));
      }
      if (entry.kind === 'attested') start(() => checkEnvelope(source, index, entry, problems));
    },
    async room() {
      while (running.size > MAX_WAITING) await Promise.race(running);
    },
    async done() {
      await Promise.all(running);
      return seen.size;
    },
  };
}

interface BlobWork {
  readonly index: number;
  readonly entry: Entry;
  readonly blob: NamedBlob;
  readonly how: BlobCheck;
  readonly problems: ProblemList;
}

async function checkBlob({ blobs }: EvidenceSource, { index, entry, blob, how, problems }: BlobWork): Promise<void> {
  const { digest, member } = blob;
  const what = `entry ${index}: ${entry.kind} ${entry.subject} names the blob ${digest} (${member})`;
  const found = how === 'presence' ? await anySize(blobs, digest) : await anyDigest(blobs, digest);
  if (found === undefined) problems.add({ code: 'blob', index, message: `${what}, which is not stored` });
  else if (typeof found === 'string' && found !== digest) problems.add({ code: 'blob', index, message: `${what}, but what is stored there has ${found}` });
}

async function anySize(stores: readonly BlobStore[], digest: Sha256): Promise<number | undefined> {
  for (const store of stores) {
    const size = await store.size(digest);
    if (size !== undefined) return size;
  }
  return undefined;
}

async function anyDigest(stores: readonly BlobStore[], digest: Sha256): Promise<string | undefined> {
  for (const store of stores) {
    const blob = await store.open(digest);
    if (blob === undefined) continue;
    const hash = createHash('sha256');
    for await (const chunk of blob.stream) hash.update(chunk);
    return hash.digest('hex');
  }
  return undefined;
}

async function checkEnvelope({ objects }: EvidenceSource, index: number, { subject, body }: Entry, problems: ProblemList): Promise<void> {
  const what = `entry ${index}: attested ${subject}`;
  const id = typeof body['envelope'] === 'string' ? parseSha256(body['envelope']) : undefined;
  const bytes = id && (await objects.get(envelopeKey(id), MAX_ENVELOPE_BYTES));
  if (bytes === undefined) {
    problems.add({ code: 'envelope', index, message: `${what} names the envelope ${String(body['envelope'])}, which is not stored` });
    return;
  }
  try {
    const { payload, keyId } = parseEnvelope(bytes);
    const digest = sha256(payload);
    if (digest === body['payload'] && envelopeId(digest, keyId) === id) return;
    problems.add({ code: 'envelope', index, message: `${what}: the envelope ${id} holds another statement, or one of another key` });
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    problems.add({ code: 'envelope', index, message: `${what}: the envelope ${id} can't be read: ${error.message}` });
  }
}
