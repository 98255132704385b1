import { StoreError } from '@granary/contract/ports';
import { type ObjectKey, parseObjectKey } from '@granary/core/layout';
import { retrying } from './retrying.ts';
import type { S3Bucket } from './s3-bucket.ts';
import type { Patience, S3Service } from './s3-service.ts';
import { onS3 } from './to-store-error.ts';

interface Listing {
  readonly bucket: S3Bucket;
  readonly service: S3Service;
  readonly patience: Patience;
}

/** Keys below a prefix by code point, one page in memory at a time. What else lies in the bucket is left out. */
export async function* listKeys({ bucket, service, patience }: Listing, prefix: string): AsyncIterable<ObjectKey> {
  if (!canBegin(prefix)) return;
  let last = '';
  let from: string | undefined;
  do {
    const start = from;
    const page = await onS3(`list ${prefix}`, service, () => retrying(patience, () => bucket.list(prefix, start)));
    for (const text of page.keys) {
      const key = parseObjectKey(text);
      if (key === undefined) continue;
      // S3 lists in the order of the UTF-8 bytes. Who relies on the order must not be given another.
      if (key <= last)
        throw new StoreError('unreachable', `list ${prefix}: bucket ${service.bucket} at ${service.endpoint} lists ${key} after ${last}: not usable`);
      last = key;
      yield key;
    }
    from = page.next;
  } while (from !== undefined);
}

/** Whether any key could begin so: `../` and its like are answered here and not by the service. */
function canBegin(prefix: string): boolean {
  return prefix === '' || parseObjectKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix) !== undefined;
}
