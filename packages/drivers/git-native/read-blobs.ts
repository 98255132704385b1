import { RepositoryError } from '@granary/contract/ports';
import { cutExactly } from './cut-exactly.ts';
import { gitBytes } from './git-bytes.ts';
import { type LookUp, objectHeaders } from './look-up-objects.ts';

const READ_MS = 600_000;
const WHAT = 'read blobs';
/** Of all blobs of one call, which are held in memory. */
const MAX_TOTAL_BYTES = 256 * 1024 * 1024;

/** Whole blobs by id, without those that aren't here, are no blobs, or are too large. Throws RepositoryError `too-large` where the others are more than 256 MiB together. */
export async function readBlobs(
  lookUp: LookUp,
  objectIds: readonly string[],
  { maxBytes }: { readonly maxBytes: number },
): Promise<ReadonlyMap<string, Uint8Array>> {
  const wanted: { readonly objectId: string; readonly header: string; readonly sizeBytes: number }[] = [];
  let totalBytes = 0;
  for (const [objectId, { type, sizeBytes }] of await objectHeaders(lookUp, objectIds)) {
    if (type !== 'blob' || sizeBytes > maxBytes) continue;
    totalBytes += sizeBytes;
    wanted.push({ objectId, sizeBytes, header: `${objectId} blob ${sizeBytes}\n` });
  }
  if (totalBytes > MAX_TOTAL_BYTES)
    throw new RepositoryError('too-large', `${WHAT}: ${wanted.length} blobs of ${totalBytes} bytes, ${MAX_TOTAL_BYTES} are allowed: ask for fewer at once`);
  const blobs = new Map<string, Uint8Array>();
  if (wanted.length === 0) return blobs;
  const printed = gitBytes(lookUp.runner, WHAT, {
    args: ['cat-file', '--batch', '--buffer'],
    places: lookUp.places,
    timeoutMs: READ_MS,
    input: wanted.map(({ objectId }) => objectId),
    ...(lookUp.signal === undefined ? {} : { signal: lookUp.signal }),
  });
  // Header, contents, line feed (git-cat-file(1), batch output): of sizes that are known, so that no content is searched for an end.
  const lengths = wanted.flatMap(({ header, sizeBytes }) => [header.length, sizeBytes, 1]);
  let n = 0;
  for await (const piece of cutExactly(WHAT, printed, lengths)) {
    const blob = wanted[Math.floor(n / 3)];
    if (n % 3 === 0 && Buffer.from(piece).toString('latin1') !== blob?.header)
      throw new RepositoryError('malformed', `${WHAT}: git answered with another object than ${blob?.objectId}`);
    if (n % 3 === 1 && blob !== undefined) blobs.set(blob.objectId, piece);
    n += 1;
  }
  return blobs;
}
