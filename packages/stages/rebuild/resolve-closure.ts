import type { PackageDocument, RebuildableEcosystem } from '@granary/contract/ecosystem';
import type { Resolution } from '@granary/contract/ports';
import { type Artifact, type Instant, type Purl, purlParts } from '@granary/core/model';

/** What exact build requirements are found with. */
export interface ResolvePorts {
  readonly ecosystem: RebuildableEcosystem;
  /** Exact versions of requirements for the sandbox's platform, as they were published by then. */
  readonly resolve: (wanted: WantedClosure, signal?: AbortSignal) => Promise<Resolution>;
  readonly candidateDocuments: (packagePurl: Purl) => Promise<{ readonly document: PackageDocument } | undefined>;
}
export interface WantedClosure {
  readonly requirements: readonly string[];
  readonly before: Instant;
}
export type ClosureResult =
  /** `asOf`: the moment by which upstream has all of them. */
  | { readonly ok: true; readonly artifacts: readonly Artifact[]; readonly asOf: Instant }
  | { readonly ok: false; readonly why: 'conflict' | 'unavailable'; readonly detail: string };

/** Exact files for the sandbox's platform, all of them published by then. */
export async function resolveClosure(ports: ResolvePorts, wanted: WantedClosure, signal?: AbortSignal): Promise<ClosureResult> {
  const { requirements, before } = wanted;
  if (requirements.length === 0) return { ok: true, artifacts: [], asOf: before };
  const resolution = await ports.resolve({ requirements, before }, signal);
  if (!resolution.ok) return { ...resolution, why: resolution.why === 'conflict' ? 'conflict' : 'unavailable' };
  const { asOf = before } = resolution;
  const artifacts: Artifact[] = [];
  for (const pin of resolution.pins) {
    const found = await ports.candidateDocuments(ports.ecosystem.demand.packageOfPin(pin));
    const release = (found?.document.artifacts ?? []).filter(({ purl, publishedAt }) => purlParts(purl).version === pin.version && (publishedAt ?? '') <= asOf);
    const file = ports.ecosystem.rebuilding.strategy.installableOf(release);
    if (file === undefined)
      return { ok: false, why: 'unavailable', detail: `${pin.name} ${pin.version} has no file that can be installed without building it` };
    artifacts.push(file);
  }
  return { ok: true, artifacts, asOf };
}
