import type { RebuildSubject } from '@granary/contract/ecosystem';
import { ObservedBody, type PinnedArtifact, packageOf } from '@granary/core/model';
import type { PlanPorts } from './rebuild-ports.ts';

/** The document in which upstream last said something of the package of an artifact; undefined where none was observed, or it isn't held any more. */
export async function upstreamIndex({ catalog, blobs, ecosystem }: PlanPorts, target: PinnedArtifact): Promise<RebuildSubject['index']> {
  const fact = catalog.current('observed', packageOf(target.purl));
  if (fact === undefined) return undefined;
  const { document, url } = ObservedBody.parse(fact.entry.body);
  const bytes = await blobs.read(document, ecosystem.index.maxDocumentBytes);
  return bytes === undefined ? undefined : { bytes, url };
}
