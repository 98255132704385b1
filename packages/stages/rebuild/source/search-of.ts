import { namedRepositories, type ReleaseClaim, repositoryOfClaim, repositoryToSearch } from '@granary/contract/ecosystem';
import type { Catalog } from '@granary/contract/ports';
import type { Purl, SourceFinding } from '@granary/core/model';

/** The repository to look for a release's commit in, and what is said of that. */
export interface Search {
  readonly repository: Purl;
  readonly directory: string | undefined;
  /** Undefined where they are commits of another repository. */
  readonly claimedCommit: string | undefined;
  readonly attestedCommit: string | undefined;
  /** Commits that it is said to be made from in other repositories than the one that an operator stated. */
  readonly overruled: readonly string[];
  /** What its sources say against each other before anything was looked into. */
  readonly findings: readonly SourceFinding[];
  /** By the package, or by what attests it: not by an operator alone. */
  readonly isNamed: boolean;
}

/** Undefined where none of the repositories that it is said to be from is mirrored. */
export function searchOf(catalog: Pick<Catalog, 'current'>, claim: ReleaseClaim): Search | undefined {
  const repository = repositoryToSearch(catalog, claim);
  if (repository === undefined) return undefined;
  const named = namedRepositories(claim);
  const isOfIt = (said: ReleaseClaim['source']) => said !== undefined && repositoryOfClaim(said) === repository;
  const commitIn = (said: ReleaseClaim['source']) => (isOfIt(said) ? said?.commit : undefined);
  const elsewhere = claim.stated === undefined ? [] : [claim.source, claim.attested].filter((said) => !isOfIt(said));
  return {
    repository,
    // A folder of another repository says nothing of the one that an operator stated.
    directory: elsewhere.includes(claim.source) ? undefined : claim.source?.directory,
    claimedCommit: commitIn(claim.source),
    attestedCommit: commitIn(claim.attested),
    overruled: elsewhere.flatMap((said) => said?.commit ?? []),
    findings: named.length > 1 || (named.length > 0 && !named.includes(repository)) ? ['sources-disagree'] : [],
    isNamed: named.includes(repository) || claim.mayLieIn?.includes(repository) === true,
  };
}
