import { type Ecosystem, EcosystemError, type LockedPin } from '@granary/contract/ecosystem';
import { parsePurl, purlParts } from '@granary/core/model';
import type { SbomComponent } from './sbom-component.ts';

/** What an SBOM asks of each ecosystem, and what nobody can be asked for, one line each. */
export interface SbomPins<E> {
  readonly pins: ReadonlyMap<E, readonly LockedPin[]>;
  readonly notCovered: readonly string[];
}

/** Sorts components by the ecosystem that mirrors them. Each component is in one of the two results. */
export function pinsOfSbom<E extends { readonly ecosystem: Pick<Ecosystem, 'id' | 'demand'> }>(
  ecosystems: readonly E[],
  components: readonly SbomComponent[],
): SbomPins<E> {
  const pins = new Map<E, Map<string, LockedPin>>();
  const notCovered = new Set<string>();
  for (const component of components) {
    const found = pinOf(ecosystems, component);
    if (typeof found === 'string') {
      notCovered.add(`${component.label}: ${found}`);
      continue;
    }
    const ofEcosystem = pins.get(found.of) ?? new Map<string, LockedPin>();
    const name = JSON.stringify([found.pin.name, found.pin.version]);
    const known = ofEcosystem.get(name);
    ofEcosystem.set(name, { ...found.pin, digests: [...(known?.digests ?? []), ...component.digests] });
    pins.set(found.of, ofEcosystem);
  }
  return { pins: new Map([...pins].map(([of, byName]) => [of, [...byName.values()]])), notCovered: [...notCovered] };
}

/** Qualifiers that name a place of their own (purl-spec, known qualifiers). */
const ELSEWHERE = /[?&](vcs_url|download_url|repository_url)=/;

/** The release that a component is, or why it can't be had. */
function pinOf<E extends { readonly ecosystem: Pick<Ecosystem, 'id' | 'demand'> }>(
  ecosystems: readonly E[],
  { purl: text, digests }: SbomComponent,
): { readonly of: E; readonly pin: Omit<LockedPin, 'digests'> } | string {
  if (text === undefined) return 'has no package URL';
  const purl = parsePurl(text);
  if (purl === undefined) return 'not a package URL';
  const elsewhere = ELSEWHERE.exec(text)?.[1];
  if (elsewhere === 'vcs_url') return 'comes from a repository (vcs_url), not from a registry';
  // A proxy of the registry, or another place altogether: only a digest can tell.
  if (elsewhere !== undefined && digests.length === 0) return `names a place of its own (${elsewhere}) and no digest to know its file by`;
  const { type, version } = purlParts(purl);
  const of = ecosystems.find(({ ecosystem }) => ecosystem.id === type);
  if (of === undefined) return `packages of type ${type} are not mirrored here`;
  if (version === undefined) return 'names no version';
  try {
    const pin = of.ecosystem.demand.pinOfPurl(purl);
    return pin === undefined ? `not a release of a ${type} registry` : { of, pin };
  } catch (error) {
    if (error instanceof EcosystemError) return error.message;
    throw error;
  }
}
