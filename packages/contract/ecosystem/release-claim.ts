import { type Instant, StoredBody } from '@granary/core/model';
import type { Catalog, CatalogFact } from '../ports/index.ts';
import type { Ecosystem } from './ecosystem.ts';
import { storedArtifact } from './stored-artifact.ts';

/** What is said of a release's making. Untrusted. */
export interface ReleaseClaim {
  readonly source?: StoredBody['source'];
  readonly publishedAt?: Instant;
}

/** What a stored artifact says of where it comes from and when it was published, or else the file that speaks for its release. */
export function releaseClaim(catalog: Pick<Catalog, 'current'>, { rebuilding }: Pick<Ecosystem, 'rebuilding'>, stored: CatalogFact): ReleaseClaim {
  const speaker = rebuilding?.strategy.commits?.claimedBy?.(storedArtifact(stored));
  const spoken = speaker === undefined ? undefined : catalog.current('stored', speaker);
  const [own, beside] = [stored, spoken].map((fact) => (fact === undefined ? undefined : StoredBody.parse(fact.entry.body)));
  const [source, publishedAt] = [own?.source ?? beside?.source, own?.publishedAt ?? beside?.publishedAt];
  return { ...(source === undefined ? {} : { source }), ...(publishedAt === undefined ? {} : { publishedAt }) };
}
