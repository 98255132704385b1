import { RepositoryError } from '@granary/contract/ports';
import { gitBytes } from './git-bytes.ts';
import type { LookUp } from './look-up-objects.ts';
import { requireCommit } from './require-commit.ts';
import { walkTree } from './walk-tree.ts';

const ARCHIVE_MS = 1_200_000;
const BLOCK_BYTES = 512;
/** Of what would change the bytes, beside attributes, which bare-repository.ts turns off. A graph of commits cuts times to 34 bits, and isn't on every machine. */
const SETTINGS = ['tar.umask=0022', 'core.commitGraph=false'];

/**
 * The tar of a commit by git-archive(1), whose form has been kept for signed archives for many years. Its first header names the commit.
 * Throws RepositoryError `too-large`, `incomplete`.
 */
export async function archiveCommit(lookUp: LookUp, objectId: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array> {
  const what = `archive ${objectId}`;
  const tooLarge = (): RepositoryError => new RepositoryError('too-large', `${what}: more than the ${maxBytes} bytes that are allowed`);
  const commit = await requireCommit(lookUp, what, objectId);
  // git holds all entries in memory before it writes the first: a small tree that names itself a million times ends here.
  if (await isLargerThan(lookUp, commit, maxBytes)) throw tooLarge();
  const printed = gitBytes(lookUp.runner, what, {
    args: [...SETTINGS.flatMap((setting) => ['-c', setting]), 'archive', '--format=tar', commit],
    places: lookUp.places,
    timeoutMs: ARCHIVE_MS,
    ...(lookUp.signal === undefined ? {} : { signal: lookUp.signal }),
  });
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  for await (const chunk of printed) {
    totalBytes += chunk.length;
    if (totalBytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, totalBytes);
}

/** By the least that its members take: a header, and contents in whole blocks. */
async function isLargerThan(lookUp: LookUp, commit: string, maxBytes: number): Promise<boolean> {
  let leastBytes = 0;
  for await (const { sizeBytes } of walkTree(lookUp, `archive ${commit}`, commit)) {
    leastBytes += BLOCK_BYTES + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    if (leastBytes > maxBytes) return true;
  }
  return false;
}
