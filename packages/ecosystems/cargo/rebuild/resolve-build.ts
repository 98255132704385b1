import type { CurrentDocument } from '@granary/contract/ecosystem';
import type { Resolution } from '@granary/contract/ports';
import type { Instant, Purl } from '@granary/core/model';
import { type Root, resolveRootsAsOf } from '../resolve.ts';
import { parseBuildRequirement } from './build-requirements.ts';

/** Every version that packing may look up in the index, as it stood by a time. Throws EcosystemError `malformed`. */
export async function resolveBuild(
  { requirements, before }: { readonly requirements: readonly string[]; readonly before: Instant },
  current: (packagePurl: Purl) => Promise<CurrentDocument | undefined>,
): Promise<Resolution> {
  const roots: Root[] = [];
  for (const text of requirements) {
    const requirement = parseBuildRequirement(text);
    if (requirement === undefined) return { ok: false, why: 'unavailable', detail: `${text.slice(0, 200)}: no requirement of a crate` };
    roots.push(
      requirement.type === 'locked'
        ? { name: requirement.name, requirement: `=${requirement.version}`, asked: 'itself', isOptional: requirement.isOptional }
        : { name: requirement.name, requirement: requirement.requirement, asked: { features: requirement.features, everything: false } },
    );
  }
  return await resolveRootsAsOf(roots, current, before);
}
