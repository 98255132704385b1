import { isRepositoryPurl, parseRepository } from '@granary/core/git';
import { type Purl, parsePurl } from '@granary/core/model';

/** Where an artifact says that it was made from. Untrusted: a claim to look into, never evidence by itself. */
export interface ClaimedSource {
  readonly repository: Purl;
  /** Id of a git commit, in lower-case hexadecimal. */
  readonly commit?: string;
  /** Below the repository's root, `/`-separated. */
  readonly directory?: string;
}

/** Id of a git commit. */
const COMMIT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
/** Of a folder in a repository; deeper ones are left out of a fact. */
const MAX_DIRECTORY_CHARS = 512;

/** Reads what a package's metadata says: undefined where the repository isn't one, and without what else isn't in its form. */
export function claimedSource(claim: {
  readonly repository: string | undefined;
  readonly commit?: string | undefined;
  readonly directory?: string | undefined;
}): ClaimedSource | undefined {
  const repository = claim.repository === undefined ? undefined : parseRepository(claim.repository)?.purl;
  if (repository === undefined) return undefined;
  const directory = claim.directory?.replace(/^(\.?\/)+|\/+$/g, '');
  return {
    repository,
    ...(claim.commit !== undefined && COMMIT_ID.test(claim.commit) ? { commit: claim.commit } : {}),
    ...(directory !== undefined && isSourceDirectory(directory) ? { directory } : {}),
  };
}

/** Is it the path of a folder below a repository's root, as facts hold it? */
function isSourceDirectory(path: string): boolean {
  return path.length <= MAX_DIRECTORY_CHARS && path !== '' && path.isWellFormed() && path.split('/').every((segment) => !/^\.{0,2}$|[\p{Cc}\\]/u.test(segment));
}

/** The repository of a claim as a fact holds it; undefined for what isn't one. */
export function repositoryOfClaim({ repository }: { readonly repository: string }): Purl | undefined {
  const purl = parsePurl(repository);
  return purl !== undefined && isRepositoryPurl(purl) ? purl : undefined;
}
