import { retrying } from './retrying.ts';
import type { S3BlobParts } from './s3-blobs.ts';
import type { Part } from './s3-bucket.ts';
import { S3Fault } from './s3-fault.ts';
import type { Spool } from './spool.ts';

interface Uploaded {
  readonly key: string;
  readonly spool: Spool;
  readonly sizeBytes: number;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
/** Of one object at a time: with the size of a part this is the memory that an upload takes. */
const PARTS_AT_ONCE = 2;
/** Uploads that the service forgot, or tidied away, are begun again. */
const MAX_UPLOADS = 3;

/** Sends an object in parts of a known size; it appears when all are there. What is left of an upload that came to nothing is removed. */
export async function uploadInParts(parts: S3BlobParts, object: Uploaded): Promise<void> {
  for (let upload = 1; ; upload += 1) {
    try {
      return await uploadOnce(parts, object);
    } catch (error) {
      if (!(error instanceof S3Fault) || error.kind !== 'absent') throw error;
      // The upload is gone. Either it was completed and we were not told, or all of it is lost.
      const found = await retrying(parts.patience, () => parts.bucket.find(object.key));
      if (found?.sizeBytes === object.sizeBytes) return;
      if (upload >= MAX_UPLOADS) throw error;
    }
  }
}

async function uploadOnce(parts: S3BlobParts, { key, spool, sizeBytes }: Uploaded): Promise<void> {
  const { upload: uploads } = parts.bucket;
  const upload = await retrying(parts.patience, () => uploads.start(key));
  try {
    const partBytes = partSizeFor(sizeBytes, parts.partSizeBytes);
    // The same memory for every part: buffers of this size are not given back as fast as they are made.
    const rooms = Array.from({ length: PARTS_AT_ONCE }, () => new Uint8Array(partBytes));
    const sent: Part[] = [];
    for (let first = 0; first * partBytes < sizeBytes; first += PARTS_AT_ONCE) {
      const next = rooms.map((room, n) => ({ room, number: first + n })).filter(({ number }) => number * partBytes < sizeBytes);
      // All are waited for, also when one fails: none may arrive after the upload was given up.
      const outcomes = await Promise.allSettled(next.map((part) => sendPart(parts, { key, upload, spool, partBytes, sizeBytes, ...part })));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') throw outcome.reason;
        sent.push(outcome.value);
      }
    }
    await retrying(parts.patience, () => uploads.complete(key, upload, sent));
  } catch (error) {
    await uploads.abort(key, upload).catch(() => undefined);
    throw error;
  }
}

interface PartToSend {
  readonly key: string;
  readonly upload: string;
  readonly spool: Spool;
  /** From 0; S3 counts from 1. */
  readonly number: number;
  readonly room: Uint8Array;
  readonly partBytes: number;
  readonly sizeBytes: number;
}

function sendPart({ bucket, limit, patience }: S3BlobParts, { key, upload, spool, number, room, partBytes, sizeBytes }: PartToSend): Promise<Part> {
  return limit(async () => {
    const bytes = await spool.slice(number * partBytes, Math.min((number + 1) * partBytes, sizeBytes), room);
    return retrying(patience, () => bucket.upload.put(key, upload, { number: number + 1, bytes }));
  });
}

/** The same for every upload of the same bytes, so that a service that derives versions from parts gives them the same one. */
function partSizeFor(sizeBytes: number, partSizeBytes: number): number {
  const MIB = 2 ** 20;
  return Math.max(partSizeBytes, Math.ceil(sizeBytes / MAX_PARTS / MIB) * MIB);
}
