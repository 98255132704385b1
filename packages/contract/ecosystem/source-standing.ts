import { type FailureClass, LocatedBody, ObservedBody, type Sha256 } from '@granary/core/model';
import type { Catalog, CatalogFact } from '../ports/index.ts';
import { type Ecosystem, rebuildEligibility } from './ecosystem.ts';
import { releaseClaim, repositoryToSearch } from './release-claim.ts';
import { storedArtifact } from './stored-artifact.ts';

/** How far an artifact is on the way to its source. */
export type SourceStanding =
  /** Nobody can look: that is the verdict, until a repository is there. */
  | { readonly type: 'ineligible'; readonly failureClass: FailureClass }
  /** It was never looked for, or not in what is held by now. `snapshot` is the document of the repository's refs, where one is held. */
  | { readonly type: 'to-locate'; readonly snapshot?: Sha256; readonly before: CatalogFact | undefined }
  | { readonly type: 'located'; readonly fact: CatalogFact; readonly source: LocatedBody['source'] };

/** Derived from facts alone: a repository that comes in, or whose refs change, is looked into for what no commit of it was found for. */
export function sourceStanding(catalog: Pick<Catalog, 'current'>, ecosystem: Pick<Ecosystem, 'rebuilding'>, stored: CatalogFact): SourceStanding {
  const eligible = rebuildEligibility(ecosystem, storedArtifact(stored));
  if (!eligible.ok) return { type: 'ineligible', failureClass: eligible.failureClass };
  const snapshot = ecosystem.rebuilding?.strategy.commits === undefined ? undefined : heldSnapshot(catalog, ecosystem, stored);
  const fact = catalog.current('located', stored.entry.subject);
  const located = fact === undefined ? undefined : LocatedBody.parse(fact.entry.body);
  const isNew = snapshot !== undefined && located?.source?.kind !== 'commit' && located?.snapshot !== snapshot;
  if (isNew) return { type: 'to-locate', snapshot, before: fact };
  if (fact !== undefined) return { type: 'located', fact, source: located?.source };
  const failureClass = eligible.withoutCommit ?? (ecosystem.rebuilding?.strategy.sourceOf === undefined ? 'repository-not-mirrored' : undefined);
  if (failureClass !== undefined) return { type: 'ineligible', failureClass };
  return { type: 'to-locate', before: undefined };
}

function heldSnapshot(catalog: Pick<Catalog, 'current'>, ecosystem: Pick<Ecosystem, 'rebuilding'>, stored: CatalogFact): Sha256 | undefined {
  const repository = repositoryToSearch(catalog, releaseClaim(catalog, ecosystem, stored));
  const observed = repository === undefined ? undefined : catalog.current('observed', repository);
  return observed === undefined ? undefined : ObservedBody.parse(observed.entry.body).document;
}
