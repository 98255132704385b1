import { storedArtifact } from '@granary/contract/ecosystem';
import { JobError } from '@granary/contract/ports';
import { type ComputedFact, LocatedBody, type PinnedArtifact, type Purl, packageOf, pinned, releaseOf } from '@granary/core/model';
import type { PlanPorts } from './rebuild-ports.ts';

/** Finds what an artifact can be rebuilt from, and records it; that there is nothing is recorded too. */
export async function locateSource(ports: PlanPorts, purl: Purl): Promise<void> {
  const target = targetOf(ports, purl);
  const source = ports.ecosystem.rebuilding.strategy.sourceOf(target, await siblingsOf(ports, target));
  const located: ComputedFact = {
    kind: 'located',
    subject: purl,
    inputs: [target.sha256, ...(source === undefined ? [] : [source.sha256])],
    body: source === undefined ? {} : { source: { kind: 'archive', tier: 'publisher-archive', purl: source.purl, sha256: source.sha256 } },
  };
  await ports.sink.submit([located]);
}

export function targetOf(ports: Pick<PlanPorts, 'catalog'>, purl: Purl): PinnedArtifact {
  const stored = ports.catalog.current('stored', purl);
  if (stored === undefined) throw new JobError('later', `plan ${purl}: it isn't stored`);
  return storedArtifact(stored);
}

export function locatedSource(ports: Pick<PlanPorts, 'catalog'>, purl: Purl): NonNullable<LocatedBody['source']> {
  const located = ports.catalog.current('located', purl);
  const source = located === undefined ? undefined : LocatedBody.parse(located.entry.body).source;
  if (source === undefined) throw new JobError('never', `plan ${purl}: no source was located`);
  return source;
}

/** The files of the same release, as any index document that we saw listed them. */
async function siblingsOf(ports: PlanPorts, target: PinnedArtifact): Promise<readonly PinnedArtifact[]> {
  const release = releaseOf(target.purl);
  const siblings = new Map<Purl, PinnedArtifact>();
  for (const fact of ports.catalog.ofPackage('observed', packageOf(target.purl), { history: true })) {
    for (const artifact of (await ports.documents.of(fact)).artifacts) {
      const sibling = releaseOf(artifact.purl) === release ? pinned(artifact) : undefined;
      if (sibling !== undefined) siblings.set(sibling.purl, sibling);
    }
  }
  return [...siblings.values()];
}
