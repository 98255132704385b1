import type { CurrentDocument, Rebuilding } from '@granary/contract/ecosystem';
import type { Pin, Resolution } from '@granary/contract/ports';
import { digestsAgree, type Instant, type Purl, purlParts } from '@granary/core/model';
import { packagePurl } from '../names.ts';
import { resolveRequirements } from '../resolve.ts';
import { parsePackument, type RawManifest } from '../schema.ts';
import { type LockedRequirement, parseLocked } from './locked-requirement.ts';

type Current = (packagePurl: Purl) => Promise<CurrentDocument | undefined>;
type Refused = Extract<Resolution, { readonly ok: false }>;

const AT_ONCE = 16;

/** What locks name, release by release, with the digests that they state; what ranges came to among what was published by then. */
export const resolveBuild: NonNullable<Rebuilding['resolve']> = async ({ requirements, before }, current) => {
  const asOf: Current = async (purl) => publishedBy(await current(purl), before);
  const locked = requirements.map((requirement) => ({ requirement, locked: parseLocked(requirement) }));
  const exact = await pinsOf(
    locked.flatMap(({ locked: release }) => release ?? []),
    asOf,
  );
  if (!exact.ok) return exact;
  const ranges = locked.filter((each) => each.locked === undefined).map(({ requirement }) => requirement);
  if (ranges.length === 0) return exact;
  const resolved = await resolveRequirements(ranges, asOf);
  if (!resolved.ok) return resolved;
  const pins = new Map([...exact.pins, ...resolved.pins].map((pin) => [`${pin.name}@${pin.version}`, pin]));
  return { ...resolved, pins: [...pins].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pin]) => pin) };
};

function publishedBy(found: CurrentDocument | undefined, before: Instant): CurrentDocument | undefined {
  if (found === undefined) return undefined;
  const artifacts = found.document.artifacts.filter(({ publishedAt }) => (publishedAt ?? '') <= before);
  return { ...found, document: { package: found.document.package, refused: found.document.refused, artifacts } };
}

async function pinsOf(wanted: readonly LockedRequirement[], asOf: Current): Promise<Extract<Resolution, { readonly ok: true }> | Refused> {
  const pins: Pin[] = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const found = await Promise.all(wanted.slice(at, at + AT_ONCE).map((release) => pinOf(release, asOf)));
    for (const pin of found) {
      if ('ok' in pin) return pin;
      pins.push(...('none' in pin ? [] : [pin]));
    }
  }
  return { ok: true, pins };
}

/** `none`: it isn't installed on this platform. */
async function pinOf({ name, version, digests, platform }: LockedRequirement, asOf: Current): Promise<Pin | Refused | { readonly none: true }> {
  const found = await asOf(packagePurl(name));
  const listed = found?.document.artifacts.find(({ purl }) => purlParts(purl).version === version);
  if (found === undefined || listed === undefined)
    return { ok: false, why: 'unavailable', detail: `the lock names ${name}@${version}, which upstream doesn't have, or published later` };
  if (platform === 'if-it-runs' && !runsHere(parsePackument(found.bytes, found.url).versions.get(version) ?? {})) return { none: true };
  if (digests.length > 0 && digests.every((stated) => digestsAgree(listed.digests, stated) === false))
    return { ok: false, why: 'unavailable', detail: `the lock states other digests of ${name}@${version} than upstream` };
  return { name, version, files: [{ fileName: listed.fileName, digests: listed.digests }] };
}

/** What the root filesystem is (package.json, `os`, `cpu` and `libc`), by Node's names. */
const PLATFORM = { os: 'linux', cpu: 'x64', libc: 'glibc' } as const;

/** A list of names that fit, or with `!` of names that don't, as npm reads it. */
function runsHere(manifest: RawManifest): boolean {
  return (['os', 'cpu', 'libc'] as const).every((field) => {
    const value = manifest[field];
    const names = (Array.isArray(value) ? value : [value]).filter((name) => typeof name === 'string');
    const [refused, fitting] = [names.filter((name) => name.startsWith('!')), names.filter((name) => !name.startsWith('!'))];
    if (refused.includes(`!${PLATFORM[field]}`)) return false;
    return fitting.length === 0 || fitting.includes(PLATFORM[field]) || fitting.includes('any');
  });
}
