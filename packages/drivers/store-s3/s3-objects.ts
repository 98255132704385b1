import { type MutableObjects, type ObjectStore, StoreError } from '@granary/contract/ports';
import { isMutable, type ObjectKey, parseObjectKey } from '@granary/core/layout';
import type { LimitFunction } from 'p-limit';
import { listKeys } from './list-keys.ts';
import { retrying } from './retrying.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { S3Fault } from './s3-fault.ts';
import type { Patience, S3Service } from './s3-service.ts';
import { onS3 } from './to-store-error.ts';

/** `conditional-put`: the service refuses a second write. `check-then-put`: it can't, so we look first; two at the same time may both write. */
export type WriteOnce = 'conditional-put' | 'check-then-put';

export interface S3Parts {
  readonly bucket: S3Bucket;
  readonly service: S3Service;
  readonly patience: Patience;
  readonly writeOnce: WriteOnce;
  /** Bounds the requests that carry a body, and with them the memory. */
  readonly limit: LimitFunction;
}

export function s3Objects(parts: S3Parts): { readonly objects: ObjectStore; readonly mutable: MutableObjects } {
  const { bucket, service, patience, limit } = parts;

  return {
    objects: {
      async putOnce(key, bytes) {
        const path = checked(key);
        await onS3(`put ${key}`, service, () => limit(() => putOnce(parts, path, bytes)));
      },
      async get(key, maxBytes) {
        const path = checked(key);
        return onS3(`get ${key}`, service, () => getWhole(parts, path, maxBytes));
      },
      list: (prefix) => listKeys(parts, prefix),
    },
    mutable: {
      async replace(key, bytes) {
        refuseImmutable('replace', key);
        const path = checked(key);
        await onS3(`replace ${key}`, service, () => limit(() => retrying(patience, () => bucket.put(path, bytes))));
      },
      async remove(key) {
        refuseImmutable('remove', key);
        const path = checked(key);
        await onS3(`remove ${key}`, service, () => retrying(patience, () => bucket.remove(path)));
      },
    },
  };
}

/**
 * A refusal by the condition is what the answer that was lost looks like, too: what is stored then decides. A pending fact may be drained between
 * a refusal and a look at it: then it is put again.
 */
async function putOnce(parts: S3Parts, key: string, bytes: Uint8Array): Promise<void> {
  for (;;) {
    if (parts.writeOnce === 'check-then-put' && (await holdsSame(parts, key, bytes))) return;
    if (await putUnlessTaken(parts, key, bytes)) break;
    if (await holdsSame(parts, key, bytes)) return;
  }
  // Without the condition another writer may have come between our look and our write: at least one of the two must hear of it.
  if (parts.writeOnce === 'check-then-put') await holdsSame(parts, key, bytes);
}

/** False when there is something; that may be what we wrote ourselves, when the answer was lost. */
export async function putUnlessTaken({ bucket, patience, writeOnce }: S3Parts, key: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await retrying(patience, () => bucket.put(key, bytes, writeOnce === 'conditional-put' ? { condition: { type: 'absent' } } : undefined));
    return true;
  } catch (error) {
    if (error instanceof S3Fault && error.kind === 'precondition') return false;
    throw error;
  }
}

/** False when there is nothing; throws StoreError `key-taken` when there is something else. */
async function holdsSame(parts: S3Parts, key: string, bytes: Uint8Array): Promise<boolean> {
  const taken = new StoreError('key-taken', `put ${key}: other bytes already stored`);
  const stored = await getWhole(parts, key, bytes.length).catch((error: unknown) => {
    throw error instanceof StoreError && error.code === 'too-large' ? taken : error;
  });
  if (stored === undefined) return false;
  if (Buffer.compare(stored, bytes) !== 0) throw taken;
  return true;
}

/** Whole or not at all: a body that breaks off is asked for again. */
export async function getWhole({ bucket, patience }: S3Parts, key: string, maxBytes: number): Promise<Uint8Array | undefined> {
  return retrying(patience, async () => {
    const bytes = await bucket.read(key, maxBytes);
    if (bytes !== 'too-large') return bytes?.bytes;
    throw new StoreError('too-large', `get ${key}: more than the ${maxBytes} bytes that were asked for`);
  });
}

function refuseImmutable(verb: string, key: ObjectKey): void {
  if (!isMutable(key)) throw new StoreError('immutable', `${verb} ${key}: written once, never changed`);
}

/** Keys are made by the layout; one that was forged past its type must still not reach another bucket. */
function checked(key: ObjectKey): string {
  if (parseObjectKey(key) === undefined) throw new RangeError(`object key ${JSON.stringify(key)}: not a plain relative path`);
  return key;
}
