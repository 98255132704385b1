import { RepositoryError } from '@granary/contract/ports';
import { gitBytes } from './git-bytes.ts';
import { type LookUp, objectHeaders } from './look-up-objects.ts';
import { requireCommit } from './require-commit.ts';

const READ_MS = 600_000;

/** The bytes of a commit, which its id is the digest of (gitformat-pack 5 and git-hash-object(1) without its header). Throws RepositoryError `too-large`, `incomplete`, `malformed`. */
export async function readCommitObject(lookUp: LookUp, objectId: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array> {
  const what = `read commit ${objectId}`;
  const commit = await requireCommit(lookUp, what, objectId);
  const sizeBytes = (await objectHeaders(lookUp, [commit])).get(commit)?.sizeBytes ?? 0;
  if (sizeBytes > maxBytes) throw new RepositoryError('too-large', `${what}: it has ${sizeBytes} bytes, ${maxBytes} are allowed`);
  const printed = gitBytes(lookUp.runner, what, {
    args: ['cat-file', 'commit', commit],
    places: lookUp.places,
    timeoutMs: READ_MS,
    ...(lookUp.signal === undefined ? {} : { signal: lookUp.signal }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of printed) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
