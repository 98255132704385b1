import { type Instant, type Purl, StoredBody } from '@granary/core/model';
import type { Catalog, CatalogFact } from '../ports/index.ts';
import { repositoryOfClaim } from './claimed-source.ts';
import type { RebuildStrategy } from './rebuild.ts';
import { storedArtifact } from './stored-artifact.ts';
import type { WrittenDefinitions } from './written-definition.ts';

/** What is said of a release's making. Untrusted. */
export interface ReleaseClaim {
  readonly source?: StoredBody['source'];
  /** What the service that built it signed, checked when it was taken in. */
  readonly attested?: StoredBody['attested'];
  readonly publishedAt?: Instant;
  /** Repositories that its name alone leads to: of what is mirrored for other reasons. */
  readonly mayLieIn?: readonly Purl[];
  /** The one that an operator wrote down: no other is looked into. */
  readonly stated?: Purl;
}

export interface ClaimingEcosystem {
  readonly rebuilding?: { readonly strategy: Pick<RebuildStrategy, 'commits'> };
}

/** What a stored artifact says of where it comes from and when it was published, or else the file that speaks for its release. */
export function releaseClaim(
  catalog: Pick<Catalog, 'current'>,
  { rebuilding }: ClaimingEcosystem,
  stored: CatalogFact,
  written?: WrittenDefinitions,
): ReleaseClaim {
  const stated = written?.of(storedArtifact(stored))?.definition.repository;
  const commits = rebuilding?.strategy.commits;
  const speaker = commits?.claimedBy?.(storedArtifact(stored));
  const mayLieIn = commits?.mayLieIn?.(storedArtifact(stored)) ?? [];
  const spoken = speaker === undefined ? undefined : catalog.current('stored', speaker);
  const [own, beside] = [stored, spoken].map((fact) => (fact === undefined ? undefined : StoredBody.parse(fact.entry.body)));
  const attested = own?.attested ?? beside?.attested;
  const [source, publishedAt] = [own?.source ?? beside?.source, own?.publishedAt ?? beside?.publishedAt];
  return {
    ...(source === undefined ? {} : { source }),
    ...(attested === undefined ? {} : { attested }),
    ...(publishedAt === undefined ? {} : { publishedAt }),
    ...(mayLieIn.length === 0 ? {} : { mayLieIn }),
    ...(stated === undefined ? {} : { stated }),
  };
}

/** Repositories that a release is said to be made from, each once, the one that was attested first. */
export function namedRepositories({ attested, source }: Pick<ReleaseClaim, 'attested' | 'source'>): readonly Purl[] {
  return [...new Set([attested, source].flatMap((claim) => (claim === undefined ? [] : (repositoryOfClaim(claim) ?? []))))];
}

/** The one to look for its commit in: the one that an operator stated, or else the first that is mirrored, of those that are named and then of those that its own name leads to. */
export function repositoryToSearch(catalog: Pick<Catalog, 'current'>, claim: ReleaseClaim): Purl | undefined {
  const candidates = claim.stated === undefined ? [...namedRepositories(claim), ...(claim.mayLieIn ?? [])] : [claim.stated];
  return candidates.find((repository) => catalog.current('observed', repository) !== undefined);
}
