import { type BuildProposal, readBuildHistory, storedArtifact } from '@granary/contract/ecosystem';
import type { BlobStore, Catalog, CatalogFact } from '@granary/contract/ports';
import { type PinnedArtifact, packageOf, VerdictBody } from '@granary/core/model';

export interface PrecedentPorts {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
}

/**
 * How a file of the same kind of the release that was published closest to this one was built, where that reproduced it: tried first, because projects seldom change how
 * they release. Undefined where there is none.
 */
export async function precedentOf(ports: PrecedentPorts, target: PinnedArtifact): Promise<BuildProposal | undefined> {
  const { catalog } = ports;
  const reproduced = catalog.ofPackage('verdict', packageOf(target.purl)).flatMap((fact) => {
    const { verdict, definition } = VerdictBody.parse(fact.entry.body);
    const stored = catalog.current('stored', fact.entry.subject);
    if (!verdict.startsWith('reproduced') || definition === undefined || stored === undefined || fact.entry.subject === target.purl) return [];
    const artifact = storedArtifact(stored);
    return kindOf(artifact) === kindOf(target) ? [{ artifact, definition, away: distance(artifact, target), fact }] : [];
  });
  const nearest = reproduced.toSorted((one, other) => one.away - other.away || newerFirst(one.fact, other.fact))[0];
  if (nearest === undefined) return undefined;
  const steps = await readBuildHistory(ports, nearest.artifact);
  const step = steps.find(({ plan }) => plan.result.type === 'definition' && plan.result.definition === nearest.definition);
  return step?.plan.proposal?.method === 'source-files' ? undefined : step?.plan.proposal;
}

function kindOf({ fileName }: PinnedArtifact): string {
  return fileName.slice(fileName.lastIndexOf('.'));
}

/** In milliseconds; what nobody says is far away. */
function distance(one: PinnedArtifact, other: PinnedArtifact): number {
  if (one.publishedAt === undefined || other.publishedAt === undefined) return Number.MAX_SAFE_INTEGER;
  return Math.abs(Date.parse(one.publishedAt) - Date.parse(other.publishedAt));
}

function newerFirst(one: CatalogFact, other: CatalogFact): number {
  return other.index - one.index;
}
