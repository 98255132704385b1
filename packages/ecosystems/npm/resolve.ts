import { type CurrentDocument, EcosystemError } from '@granary/contract/ecosystem';
import type { Pin, Resolution } from '@granary/contract/ports';
import { type Purl, purlParts } from '@granary/core/model';
import pickManifest from 'npm-pick-manifest';
import { packagePurl } from './names.ts';
import { parsePackument } from './packument.ts';
import { parseRequirement, type Requirement, splitRequirement } from './requirement.ts';
import { asObject, type RawManifest } from './schema.ts';

type Current = (packagePurl: Purl) => Promise<CurrentDocument | undefined>;
interface Edge {
  readonly name: string;
  readonly spec: string;
  readonly optional: boolean;
  /** The version that wants it; undefined where the watch list does. */
  readonly by?: string;
}
/** What choosing a version and going on from it needs. */
interface Choices {
  readonly packument: Parameters<typeof pickManifest>[0];
  readonly edges: ReadonlyMap<string, readonly Edge[]>;
}
type Picked =
  | { readonly type: 'pin'; readonly pin: Pin; readonly edges: readonly Edge[] }
  | { readonly type: 'none'; readonly why: 'conflict' | 'unavailable'; readonly detail: string };

/** Of ranges that are looked at; the largest applications have some ten thousand. */
const MAX_EDGES = 100_000;
const AT_ONCE = 16;

/**
 * Every version that an install may take: of each package and range that is reached, the one npm picks, whatever platform and runtime.
 * Clients may place them otherwise in their trees, but need no other versions.
 */
export async function resolveRequirements(requirements: readonly string[], current: Current): Promise<Resolution> {
  const choices = new Map<string, Promise<Choices | undefined>>();
  const pins = new Map<string, Pin>();
  const seen = new Set<string>();
  const notCovered = new Set<string>();
  let frontier: readonly Edge[] = requirements.map((requirement) => ({ ...splitRequirement(requirement), optional: false }));
  while (frontier.length > 0) {
    const fresh = frontier.filter((edge) => isFresh(seen, edge));
    if (seen.size > MAX_EDGES) return { ok: false, why: 'unavailable', detail: `more than ${MAX_EDGES} ranges are reached` };
    const next: Edge[] = [];
    for (let at = 0; at < fresh.length; at += AT_ONCE) {
      const edges = fresh.slice(at, at + AT_ONCE);
      const picks = await Promise.all(edges.map((edge) => pick(edge, choices, current)));
      for (const [index, picked] of picks.entries()) {
        if (picked.type === 'pin') {
          pins.set(`${picked.pin.name}@${picked.pin.version}`, picked.pin);
          next.push(...picked.edges);
        } else if (edges[index]?.by === undefined) return { ok: false, why: picked.why, detail: picked.detail };
        else if (edges[index]?.optional === false) notCovered.add(picked.detail);
      }
    }
    frontier = next;
  }
  const sorted = [...pins].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pin]) => pin);
  return { ok: true, pins: sorted, ...(notCovered.size === 0 ? {} : { notCovered: [...notCovered].sort() }) };
}

/** A range that was optional for one may be needed by another. */
function isFresh(seen: Set<string>, { name, spec, optional }: Edge): boolean {
  const key = `${name}@${spec}`;
  if (seen.has(key) || (optional && seen.has(`? ${key}`))) return false;
  seen.add(optional ? `? ${key}` : key);
  return true;
}

async function pick({ name, spec, by = 'the watch list' }: Edge, choices: Map<string, Promise<Choices | undefined>>, current: Current): Promise<Picked> {
  const requirement = read(name, spec);
  if (requirement.type !== 'registry')
    return { type: 'none', why: 'unavailable', detail: `${by} wants ${name} from ${spec.slice(0, 200)}, which is in no registry` };
  const asked = choices.get(requirement.name) ?? readChoices(requirement.name, current);
  choices.set(requirement.name, asked);
  const known = await asked;
  if (known === undefined) return { type: 'none', why: 'unavailable', detail: `${by} wants ${requirement.name}, and upstream doesn't have it` };
  const version = pickVersion(known, requirement.spec);
  if (version === undefined)
    return { type: 'none', why: 'conflict', detail: `${by} wants ${requirement.name}@${requirement.spec}, and upstream has no such version` };
  return { type: 'pin', pin: { name: requirement.name, version }, edges: known.edges.get(version) ?? [] };
}

function read(name: string, spec: string): Requirement {
  try {
    return parseRequirement(name, spec);
  } catch (error) {
    if (error instanceof EcosystemError) return { type: 'elsewhere', name, spec };
    throw error;
  }
}

function pickVersion({ packument }: Choices, spec: string): string | undefined {
  try {
    return pickManifest(packument, spec, { nodeVersion: null }).version;
  } catch (error) {
    // ETARGET, ENOVERSIONS: nothing of it fits.
    if (error instanceof Error && 'code' in error && (error.code === 'ETARGET' || error.code === 'ENOVERSIONS')) return undefined;
    throw error;
  }
}

/** Only versions that can be taken in: those of the parsed document. */
async function readChoices(name: string, current: Current): Promise<Choices | undefined> {
  const found = await current(packagePurl(name));
  if (found === undefined) return undefined;
  const packument = parsePackument(found.bytes, found.url);
  const versions = packument.readAll().usable;
  const usable = found.document.artifacts.flatMap(({ purl }) => {
    const { version = '' } = purlParts(purl);
    const manifest = versions.get(version);
    return manifest === undefined ? [] : [{ version, manifest }];
  });
  return {
    packument: {
      name,
      versions: Object.fromEntries(
        usable.map(({ version, manifest }) => [version, { name, version, ...(manifest['deprecated'] ? { deprecated: true } : {}) }]),
      ),
      'dist-tags': Object.fromEntries(packument.distTags()),
    },
    edges: new Map(usable.map(({ version, manifest }) => [version, edgesOf(manifest, `${name}@${version}`)])),
  };
}

/** What installs with it: npm and pnpm bring peers along too, unless they are optional. What is bundled may still be fetched: yarn does. */
function edgesOf(manifest: RawManifest, by: string): readonly Edge[] {
  const optional = ranges(manifest['optionalDependencies']);
  const bundled = new Set([manifest['bundleDependencies'], manifest['bundledDependencies']].flatMap((names) => (Array.isArray(names) ? names : [])));
  const peersMeta = asObject(manifest['peerDependenciesMeta']) ?? {};
  const isOptionalPeer = (name: string) => Object.hasOwn(peersMeta, name) && asObject(peersMeta[name])?.['optional'] === true;
  return [
    ...[...ranges(manifest['dependencies'])].filter(([name]) => !optional.has(name)).map(([name, spec]) => ({ name, spec, optional: bundled.has(name), by })),
    ...[...optional].map(([name, spec]) => ({ name, spec, optional: true, by })),
    ...[...ranges(manifest['peerDependencies'])].filter(([name]) => !isOptionalPeer(name)).map(([name, spec]) => ({ name, spec, optional: false, by })),
  ];
}

function ranges(value: unknown): ReadonlyMap<string, string> {
  return new Map(Object.entries(asObject(value) ?? {}).flatMap(([name, spec]) => (typeof spec === 'string' ? [[name, spec] as const] : [])));
}
