import { type Store, StoreError } from '@granary/contract/ports';
import { trackWrites } from '@granary/contract/work';
import { blobKey } from '@granary/core/layout';
import type { Sha256 } from '@granary/core/model';
import pLimit from 'p-limit';
import { retrying } from './retrying.ts';
import { s3Blobs } from './s3-blobs.ts';
import { openBucket } from './s3-bucket.ts';
import { S3Fault } from './s3-fault.ts';
import { s3Objects, type WriteOnce } from './s3-objects.ts';
import { PATIENCE, type S3Service } from './s3-service.ts';
import { onS3 } from './to-store-error.ts';

export interface S3StoreOptions extends S3Service {
  /** On a local disk, for streams until their digests are checked: as large as the largest artifacts that are stored at once. Made when missing. */
  readonly scratchDir: string;
  /** What is larger goes in parts of this size; S3 takes no less than 5 MiB. Default: 8 MiB. */
  readonly partSizeBytes?: number;
  /** Default: `conditional-put`. {@link probeS3} says whether the service has it. */
  readonly writeOnce?: WriteOnce;
}
export interface S3Store extends Store, AsyncDisposable {
  /** An address that gives the blob to whoever has it, for at most so long. Does not ask whether it is there. */
  presignedUrl(digest: Sha256, seconds: number): Promise<string>;
}

const MIN_PART_BYTES = 5 * 2 ** 20;
/** Requests with a body at a time. A whole small object or one part each: this many times `partSizeBytes` at the very most. */
const MAX_WRITES = 16;

/** The archive in a bucket, which any number of processes may read and write at once. Throws StoreError unless the bucket is there and the keys open it. */
export async function openS3Store(options: S3StoreOptions): Promise<S3Store> {
  const { scratchDir, partSizeBytes = 8 * 2 ** 20, writeOnce = 'conditional-put', ...service } = options;
  if (partSizeBytes < MIN_PART_BYTES) throw new RangeError(`partSizeBytes ${partSizeBytes}: S3 takes no part below ${MIN_PART_BYTES}`);
  const bucket = openBucket(service);
  const patience = service.patience ?? PATIENCE;
  await openingBucket(service, () => retrying(patience, () => bucket.check()));
  const parts = { bucket, service, patience, writeOnce, limit: pLimit(MAX_WRITES), partSizeBytes, scratchDir };
  const writes = trackWrites();
  const { objects, mutable } = s3Objects(parts);
  const blobs = s3Blobs(parts);

  return {
    objects: { ...objects, putOnce: (key, bytes) => writes.add(objects.putOnce(key, bytes)) },
    mutable: { replace: (key, bytes) => writes.add(mutable.replace(key, bytes)), remove: (key) => writes.add(mutable.remove(key)) },
    blobs: { ...blobs, put: (source, expect) => writes.add(blobs.put(source, expect)) },
    presignedUrl: (digest, seconds) => onS3(`sign an address of blob ${digest}`, service, () => bucket.presign(blobKey(digest), seconds)),
    async [Symbol.asyncDispose]() {
      await writes.settled();
      bucket.close();
    },
  };
}

/** An answer to HEAD has no body that could say whether it is the bucket that is missing. */
async function openingBucket(service: S3Service, step: () => Promise<void>): Promise<void> {
  await onS3('open', service, async () => {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof S3Fault) || error.kind !== 'absent') throw error;
      const message = `open: there is no bucket ${service.bucket} at ${service.endpoint}: make it first, or name the right one`;
      throw new StoreError('unreachable', message, { cause: error });
    }
  });
}
