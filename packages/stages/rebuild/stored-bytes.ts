import { type BlobStore, JobError } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';

const MAX_ARTIFACT_BYTES = 256 * 2 ** 20;

/** Of an artifact or a record. Throws JobError where the store hasn't got it. */
export async function storedBytes(blobs: BlobStore, digest: Sha256): Promise<Uint8Array> {
  const bytes = await blobs.read(digest, MAX_ARTIFACT_BYTES);
  if (bytes === undefined) throw new JobError('later', `read ${digest}: not in the store`);
  return bytes;
}
