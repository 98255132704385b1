import type { CurrentDocument, Rebuilding } from '@granary/contract/ecosystem';
import type { Pin, Resolution } from '@granary/contract/ports';
import { type Artifact, digestsAgree, type Instant, type Purl, purlParts } from '@granary/core/model';
import { compare, satisfies } from 'semver';
import { packagePurl } from '../names.ts';
import { parsePackument } from '../packument.ts';
import { resolveRequirements } from '../resolve.ts';
import type { RawManifest } from '../schema.ts';
import { type LockedRequirement, parseLocked } from './locked-requirement.ts';
import { parseTool, type ToolRequirement } from './tool-requirement.ts';

type Current = (packagePurl: Purl) => Promise<CurrentDocument | undefined>;
type Refused = Extract<Resolution, { readonly ok: false }>;

const AT_ONCE = 16;

/**
 * What locks name, release by release, with the digests that they state; what ranges came to among what was published by then. A lock proves that its releases were there,
 * whatever upstream's times say.
 */
export const resolveBuild: NonNullable<Rebuilding['resolve']> = async ({ requirements, before }, current) => {
  const read = requirements.map((requirement) => ({ requirement, tool: parseTool(requirement), locked: parseLocked(requirement) }));
  const exact = await findLocked(
    read.flatMap(({ locked }) => locked ?? []),
    current,
  );
  if ('ok' in exact) return exact;
  const tools = await findTools(
    read.flatMap(({ tool }) => tool ?? []),
    current,
  );
  if ('ok' in tools) return tools;
  const found = [...exact.found, ...tools];
  const [later] = found
    .flatMap(({ publishedAt }) => (publishedAt !== undefined && publishedAt > before ? [publishedAt] : []))
    .toSorted()
    .reverse();
  const asOf = later === undefined ? {} : { asOf: later };
  const ranges = read.filter(({ locked, tool }) => locked === undefined && tool === undefined).map(({ requirement }) => requirement);
  const resolved: Resolution = ranges.length === 0 ? { ok: true, pins: [] } : await resolveRequirements(ranges, publishedBy(current, before));
  if (!resolved.ok) return resolved;
  const notCovered = [...exact.missing, ...(resolved.notCovered ?? [])];
  const pins = new Map([...found.map(({ pin }) => pin), ...resolved.pins].map((pin) => [`${pin.name}@${pin.version}`, pin]));
  const sorted = [...pins].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pin]) => pin);
  return { ok: true, pins: sorted, ...asOf, ...(notCovered.length === 0 ? {} : { notCovered }) };
};

function publishedBy(current: Current, before: Instant): Current {
  return async (purl) => {
    const found = await current(purl);
    if (found === undefined) return undefined;
    const artifacts = found.document.artifacts.filter(({ publishedAt }) => (publishedAt ?? '') <= before);
    return { ...found, document: { package: found.document.package, refused: found.document.refused, artifacts } };
  };
}

interface Found {
  readonly pin: Pin;
  readonly publishedAt: Instant | undefined;
}
interface FoundLocked {
  readonly found: readonly Found[];
  /** What may be of another platform, for all that upstream doesn't have it any more: whoever installs needs it or doesn't. */
  readonly missing: readonly string[];
}

async function findLocked(wanted: readonly LockedRequirement[], current: Current): Promise<FoundLocked | Refused> {
  const all: Looked[] = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) all.push(...(await Promise.all(wanted.slice(at, at + AT_ONCE).map((release) => look(release, current)))));
  const refused = all.find((looked) => looked.type === 'refused');
  if (refused !== undefined) return { ok: false, why: 'unavailable', detail: refused.detail };
  return {
    found: all.flatMap((looked) => (looked.type === 'found' ? [looked] : [])),
    missing: all.flatMap((looked) => (looked.type === 'missing' ? [looked.detail] : [])),
  };
}

type Looked =
  | ({ readonly type: 'found' } & Found)
  | { readonly type: 'elsewhere' }
  | { readonly type: 'missing'; readonly detail: string }
  | { readonly type: 'refused'; readonly detail: string };

async function look({ name, version, digests, platform }: LockedRequirement, current: Current): Promise<Looked> {
  const found = await current(packagePurl(name));
  const listed = found?.document.artifacts.find(({ purl }) => purlParts(purl).version === version);
  if (found === undefined || listed === undefined)
    return { type: platform === 'any' ? 'refused' : 'missing', detail: `the lock names ${name}@${version}, which upstream doesn't have` };
  if (platform === 'if-it-runs' && !runsHere(parsePackument(found.bytes, found.url).manifest(version) ?? {})) return { type: 'elsewhere' };
  if (digests.length > 0 && digests.every((stated) => digestsAgree(listed.digests, stated) === false))
    return { type: 'refused', detail: `the lock states other digests of ${name}@${version} than upstream` };
  const pin = { name, version, files: [{ fileName: listed.fileName, digests: listed.digests }] };
  return { type: 'found', pin, publishedAt: listed.publishedAt };
}

/** Of each tool the newest release that there was on its day; where upstream dates all of them later, the newest. */
async function findTools(wanted: readonly ToolRequirement[], current: Current): Promise<readonly Found[] | Refused> {
  const found: Found[] = [];
  for (const { name, range, asOf } of wanted) {
    const artifacts = (await current(packagePurl(name)))?.document.artifacts ?? [];
    const versionOf = ({ purl }: Artifact): string => purlParts(purl).version ?? '';
    const fitting = artifacts.filter((artifact) => satisfies(versionOf(artifact), range)).toSorted((a, b) => compare(versionOf(b), versionOf(a)));
    const tool = fitting.find(({ publishedAt }) => publishedAt !== undefined && publishedAt <= asOf) ?? fitting[0];
    if (tool === undefined) return { ok: false, why: 'unavailable', detail: `upstream has no ${name} ${range}` };
    const { fileName, digests, publishedAt } = tool;
    found.push({ pin: { name, version: versionOf(tool), files: [{ fileName, digests }] }, publishedAt });
  }
  return found;
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
