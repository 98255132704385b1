import { randomUUID } from 'node:crypto';
import { type LockBackend, StoreError } from '@granary/contract/ports';
import { headKey } from '@granary/core/layout';
import { probeBucket } from './probe-s3.ts';
import { pause, retrying } from './retrying.ts';
import { type Condition, openBucket, type S3Bucket } from './s3-bucket.ts';
import { S3Fault } from './s3-fault.ts';
import { lockRefusal, type ProbeSize } from './s3-findings.ts';
import { PATIENCE, type Patience, type S3Service } from './s3-service.ts';
import { onS3 } from './to-store-error.ts';

export interface S3LockOptions extends S3Service {
  /** How hard the service is tried before it is trusted. Default: {@link PROBE}. */
  readonly probe?: ProbeSize;
}
export interface S3Lock extends LockBackend, Disposable {
  close(): void;
}

/** A head is a signed note with a few cosignatures. */
const MAX_HEAD_BYTES = 65_536;
/** What the first head replaced. */
const NONE = 'none';

/**
 * The heads of ledgers as objects of the bucket, moved by conditional writes. Tries the service first, and throws StoreError `unreachable`
 * unless it compares and swaps as one step under concurrency: a service that only looks and then writes would let two sequencers win.
 */
export async function openS3Lock({ probe, ...service }: S3LockOptions): Promise<S3Lock> {
  const bucket = openBucket(service);
  try {
    const refusal = lockRefusal(await onS3('try conditional writes', service, () => probeBucket(bucket, service, probe)));
    if (refusal !== undefined) throw new StoreError('unreachable', `ledger lock in bucket ${service.bucket} at ${service.endpoint}: ${refusal}`);
    return lockIn(bucket, service);
  } catch (error) {
    bucket.close();
    throw error;
  }
}

function lockIn(bucket: S3Bucket, service: S3Service): S3Lock {
  const patience = service.patience ?? PATIENCE;
  const load = (key: string) => retrying(patience, () => readHead(bucket, key));
  const close = (): void => bucket.close();
  return {
    load: (origin) => onS3(`load the head of ${origin}`, service, async () => (await load(headKey(origin)))?.bytes),
    swap: (origin, expected, next) =>
      onS3(`swap the head of ${origin}`, service, async () => {
        const key = headKey(origin);
        const held = await load(key);
        if (!same(held?.bytes, expected)) return false;
        return move({ bucket, patience, key, held, next, id: randomUUID() });
      }),
    close,
    [Symbol.dispose]: close,
  };
}

/** A head as it is stored. Each write of one has an id of its own and names the one that it replaced. */
interface Head {
  readonly etag: string;
  readonly bytes: Uint8Array;
  readonly id: string | undefined;
  readonly replaced: string | undefined;
}
interface Move {
  readonly bucket: S3Bucket;
  readonly patience: Patience;
  readonly key: string;
  /** What is to be replaced. */
  readonly held: Head | undefined;
  readonly next: Uint8Array;
  readonly id: string;
}

/**
 * The same conditional write, again while its answer is lost: it can take place once at most, since it changes what it depends on. A refusal
 * means that somebody moved the head, perhaps we ourselves: what is stored tells.
 */
async function move(given: Move): Promise<boolean> {
  const { bucket, patience, key, held, next, id } = given;
  const condition: Condition = held === undefined ? { type: 'absent' } : { type: 'etag', etag: held.etag };
  for (let attempt = 1, unanswered: S3Fault | undefined; ; attempt += 1) {
    try {
      await bucket.put(key, next, { condition, labels: { id, replaced: held?.id ?? NONE } });
      return true;
    } catch (error) {
      if (!(error instanceof S3Fault) || !(isRefusal(error) || error.kind === 'transient')) throw error;
      if (error.kind === 'transient') unanswered = error;
      else {
        const moved = whoMoved(given, await retrying(patience, () => readHead(bucket, key)));
        if (moved === 'we' || moved === 'another') return moved === 'we';
        if (moved === 'another-or-both') return settled(unanswered);
        unanswered ??= new S3Fault('transient', 'refused although the head is what was expected', { cause: error });
      }
      if (attempt >= patience.attempts) throw unanswered;
      await pause(patience, attempt);
    }
  }
}

function whoMoved({ held, next, id }: Move, now: Head | undefined): 'we' | 'another' | 'another-or-both' | 'nobody' {
  if (now?.id === id || now?.replaced === id) return 'we';
  if (now !== undefined && now.id !== held?.id && now.replaced === (held?.id ?? NONE)) return 'another';
  // A service that does not keep labels.
  if (now !== undefined && now.id === undefined && same(now.bytes, next)) return 'we';
  return now?.id === held?.id && same(now?.bytes, held?.bytes) ? 'nobody' : 'another-or-both';
}

/** Several moves further nobody can tell whether ours was among them, if any of our answers was lost. */
function settled(unanswered: S3Fault | undefined): false {
  if (unanswered === undefined) return false;
  const message = `an answer was lost (${unanswered.message}), and others have moved the head since: whether we did is not known until it is loaded again`;
  throw new S3Fault('transient', message, { cause: unanswered });
}

/** 412; or, where there is no object any more that could match, 404. */
function isRefusal({ kind }: S3Fault): boolean {
  return kind === 'precondition' || kind === 'absent';
}

async function readHead(bucket: S3Bucket, key: string): Promise<Head | undefined> {
  const head = await bucket.read(key, MAX_HEAD_BYTES);
  if (head === 'too-large') throw new S3Fault('refused', `${key} is larger than ${MAX_HEAD_BYTES} bytes: no head of a ledger`);
  return head && { etag: head.etag, bytes: head.bytes, id: head.labels['id'], replaced: head.labels['replaced'] };
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
