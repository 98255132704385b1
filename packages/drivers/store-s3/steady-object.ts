import { StoreError } from '@granary/contract/ports';
import { pause } from './retrying.ts';
import { S3Fault } from './s3-fault.ts';
import type { S3Parts } from './s3-objects.ts';
import { toStoreError } from './to-store-error.ts';

interface Wanted {
  readonly key: string;
  /** For messages. */
  readonly what: string;
  /** The version that is read, first to last byte. */
  readonly etag: string;
  readonly start: number;
  readonly end: number;
}

/** Who brings fewer bytes than this between two breaks does not get on. */
const PROGRESS_BYTES = 65_536;

/** The bytes of one version, whatever the connection does: goes on where it broke off. Asks on the first read, so that a stream nobody reads holds nothing. */
export async function* steadyObject({ bucket, service, patience }: S3Parts, { key, what, etag, start, end }: Wanted): AsyncIterable<Uint8Array> {
  let at = start;
  let lastBreak = start;
  let breaks = 0;
  while (at < end) {
    try {
      for await (const chunk of (await bucket.get(key, { start: at, end, etag })).body) {
        at += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (!(error instanceof S3Fault)) throw error;
      breaks = at - lastBreak >= PROGRESS_BYTES ? 1 : breaks + 1;
      lastBreak = at;
      if (error.kind === 'precondition')
        throw new StoreError('unreachable', `${what}: it was written again while it was read: read it again`, { cause: error });
      if (error.kind !== 'transient' || breaks >= patience.attempts) throw toStoreError(`${what} at byte ${at} of ${end}`, service, error);
      await pause(patience, breaks);
    }
  }
}
