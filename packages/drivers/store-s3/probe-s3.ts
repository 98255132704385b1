import { randomBytes } from 'node:crypto';
import { derivedKey } from '@granary/core/layout';
import { proveConditionalWrites } from './prove-conditional-writes.ts';
import { retrying } from './retrying.ts';
import { openBucket, type S3Bucket } from './s3-bucket.ts';
import type { ProbeSize, S3Findings } from './s3-findings.ts';
import { PATIENCE, type S3Service } from './s3-service.ts';
import { onS3 } from './to-store-error.ts';
import { tryListing, tryRanges } from './try-reading.ts';

export const PROBE: ProbeSize = { rounds: 12, writers: 8 };

/** Tries a service under `derived/probe/`, and removes what it wrote. Throws StoreError when the service can't be worked with at all. */
export async function probeS3(service: S3Service, size: ProbeSize = PROBE): Promise<S3Findings> {
  const bucket = openBucket(service);
  try {
    return await onS3('probe', service, () => probeBucket(bucket, service, size));
  } finally {
    bucket.close();
  }
}

export async function probeBucket(bucket: S3Bucket, service: S3Service, size: ProbeSize = PROBE): Promise<S3Findings> {
  const patience = service.patience ?? PATIENCE;
  const prefix = derivedKey(`probe/${randomBytes(12).toString('hex')}`);
  const written = new Set<string>();
  const trial = { bucket, patience, size, key: (name: string): string => `${prefix}/${name}`, written };
  try {
    return { ...(await proveConditionalWrites(trial)), ...(await tryListing(trial)), ...(await tryRanges(trial)) };
  } finally {
    await Promise.allSettled([...written].map((key) => retrying(patience, () => bucket.remove(key))));
  }
}
