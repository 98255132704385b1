import { type FailureClass, LocatedBody, ObservedBody, type Sha256 } from '@granary/core/model';
import type { Catalog, CatalogFact } from '../ports/index.ts';
import { type Ecosystem, rebuildEligibility } from './ecosystem.ts';
import { type ClaimingEcosystem, type ReleaseClaim, releaseClaim, repositoryToSearch } from './release-claim.ts';
import { storedArtifact } from './stored-artifact.ts';
import { isLocatedBy, type WrittenDefinitions } from './written-definition.ts';

/** How far an artifact is on the way to its source. */
export type SourceStanding =
  /** Nobody can look: that is the verdict, until a repository is there. */
  | { readonly type: 'ineligible'; readonly failureClass: FailureClass }
  /** It was never looked for, or not in what is held by now. `state` is that: the document of the repository's refs, where one is held, or what was found for another file of the release. */
  | { readonly type: 'to-locate'; readonly state?: Sha256; readonly before: CatalogFact | undefined }
  /** Another file of the release, `on`, is looked for first: this one is of the commit that will be found for that. */
  | { readonly type: 'waiting'; readonly on: CatalogFact }
  | { readonly type: 'located'; readonly fact: CatalogFact; readonly source: LocatedBody['source'] };

/**
 * Derived from facts, and from what an operator wrote down: a repository that comes in, or whose refs change, is looked into for what no commit of it was found for; and what was located
 * is located again once something else is written of it, or nothing any more.
 */
export function sourceStanding(
  catalog: Pick<Catalog, 'current'>,
  ecosystem: Pick<Ecosystem, 'rebuilding'>,
  stored: CatalogFact,
  written?: WrittenDefinitions,
): SourceStanding {
  const eligible = rebuildEligibility(ecosystem, storedArtifact(stored));
  if (!eligible.ok) return { type: 'ineligible', failureClass: eligible.failureClass };
  const leader = leadingFile(catalog, ecosystem, stored);
  if (leader !== undefined) return standingBehind(catalog, stored, { fact: leader, standing: sourceStanding(catalog, ecosystem, leader, written) });
  const snapshot = ecosystem.rebuilding?.strategy.commits === undefined ? undefined : heldSnapshot(catalog, releaseClaim(catalog, ecosystem, stored, written));
  const fact = catalog.current('located', stored.entry.subject);
  const located = fact === undefined ? undefined : LocatedBody.parse(fact.entry.body);
  const isNew = snapshot !== undefined && located?.source?.kind !== 'commit' && located?.snapshot !== snapshot;
  const definition = written?.of(storedArtifact(stored));
  // A repository that is stated is waited for: until then what was found before stands.
  const isAwaited = definition?.definition.repository !== undefined && snapshot === undefined;
  if (fact !== undefined && !isAwaited && !isLocatedBy(fact, definition)) return { type: 'to-locate', state: definition?.sha256 ?? fact.key, before: fact };
  if (isNew) return { type: 'to-locate', state: snapshot, before: fact };
  if (fact !== undefined) return { type: 'located', fact, source: located?.source };
  const failureClass = eligible.withoutCommit ?? (ecosystem.rebuilding?.strategy.sourceOf === undefined ? 'repository-not-mirrored' : undefined);
  if (failureClass !== undefined) return { type: 'ineligible', failureClass };
  return { type: 'to-locate', before: undefined };
}

/** The file of the same release that is looked for in this one's stead; undefined where none is held, or each file stands for itself. */
export function leadingFile(catalog: Pick<Catalog, 'current'>, { rebuilding }: ClaimingEcosystem, stored: CatalogFact): CatalogFact | undefined {
  const leaders = rebuilding?.strategy.commits?.locatedWith?.(storedArtifact(stored)) ?? [];
  return leaders.map((leader) => catalog.current('stored', leader)).find((fact) => fact !== undefined);
}

interface Leader {
  readonly fact: CatalogFact;
  readonly standing: SourceStanding;
}

function standingBehind(catalog: Pick<Catalog, 'current'>, stored: CatalogFact, leader: Leader): SourceStanding {
  const { standing } = leader;
  switch (standing.type) {
    case 'ineligible':
    case 'waiting':
      return standing;
    case 'to-locate':
      return { type: 'waiting', on: leader.fact };
    case 'located': {
      const fact = catalog.current('located', stored.entry.subject);
      if (fact === undefined || !restsOn(fact, standing.fact)) return { type: 'to-locate', state: standing.fact.key, before: fact };
      return { type: 'located', fact, source: standing.source };
    }
  }
}

/** Was it worked out from the other, as that is now? */
export function restsOn({ entry }: CatalogFact, { key }: CatalogFact): boolean {
  return 'inputs' in entry && entry.inputs.includes(key);
}

function heldSnapshot(catalog: Pick<Catalog, 'current'>, claim: ReleaseClaim): Sha256 | undefined {
  const repository = repositoryToSearch(catalog, claim);
  const observed = repository === undefined ? undefined : catalog.current('observed', repository);
  return observed === undefined ? undefined : ObservedBody.parse(observed.entry.body).document;
}
