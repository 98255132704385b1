import { type Purl, sha256 } from '@granary/core/model';
import type { RebuildSource } from '../ecosystem/index.ts';
import { JobError, RepositoryError } from '../ports/index.ts';
import { type HeldRepositoryPorts, heldRepository } from './held-repository.ts';

/** No source is larger, as an archive or as the tar of a tree. */
export const MAX_SOURCE_BYTES = 256 * 2 ** 20;
/** Of a commit's headers and message: signatures and merged tags have some KiB. */
const MAX_COMMIT_BYTES = 256 * 1024;

/** What a definition is built from: the archive, or the tar that the commit's tree becomes. Throws JobError when it isn't here, or isn't what the definition names. */
export async function sourceBytes(ports: HeldRepositoryPorts, source: RebuildSource): Promise<Uint8Array> {
  const bytes =
    source.kind === 'archive' ? await ports.blobs.read(source.sha256, MAX_SOURCE_BYTES) : await treeArchive(ports, source.repository, source.commit);
  if (bytes === undefined) throw new JobError('later', `read source ${nameOf(source)}: not in the store`);
  const digest = source.kind === 'archive' ? source.sha256 : sha256(bytes);
  if (digest !== source.sha256)
    throw new JobError('never', `read source ${nameOf(source)}: its tree became ${digest}, and was ${source.sha256}: another version of git may have made it`);
  return bytes;
}

/** The tar that a commit's tree becomes. Throws JobError `later` where the repository isn't held, `never` where it is too large. */
export async function treeArchive(ports: HeldRepositoryPorts, repository: Purl, commit: string): Promise<Uint8Array> {
  const held = await heldRepository(ports, repository);
  if (held === undefined) throw new JobError('later', `read ${repository}@${commit}: nothing of the repository is held`);
  try {
    return await held.local.archive(commit, { maxBytes: MAX_SOURCE_BYTES });
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    throw new JobError(error.code === 'too-large' ? 'never' : 'later', `read ${repository}@${commit}: ${error.message}`, { cause: error });
  }
}

/** The commit itself, as git has it; undefined where it is larger than {@link MAX_COMMIT_BYTES}. Throws JobError `later` where the repository isn't held. */
export async function commitObject(ports: HeldRepositoryPorts, repository: Purl, commit: string): Promise<Uint8Array | undefined> {
  const held = await heldRepository(ports, repository);
  if (held === undefined) throw new JobError('later', `read ${repository}@${commit}: nothing of the repository is held`);
  try {
    return await held.local.commitObject(commit, { maxBytes: MAX_COMMIT_BYTES });
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    if (error.code === 'too-large') return undefined;
    throw new JobError('later', `read ${repository}@${commit}: ${error.message}`, { cause: error });
  }
}

function nameOf(source: RebuildSource): string {
  return source.kind === 'archive' ? source.purl : `${source.repository}@${source.commit}`;
}
