import { EcosystemError } from '@granary/contract/ecosystem';
import { type Instant, isJsonDeeperThan, parseInstant } from '@granary/core/model';
import { z } from 'zod';
import { isVersion } from './names.ts';

/** Of a version's manifest: where its tarball lies and what is said of it. */
export const Dist = z.object({
  tarball: z.string().max(4096),
  integrity: z.string().max(4096).nullish(),
  shasum: z.string().max(128).nullish(),
  signatures: z
    .array(z.object({ keyid: z.string().max(256), sig: z.string().max(1024) }))
    .max(16)
    .nullish(),
  attestations: z.object({ url: z.string().max(4096) }).nullish(),
});
export type Dist = z.output<typeof Dist>;

/** As it was sent: what only passes through isn't looked at. */
export type RawManifest = Readonly<Record<string, unknown>>;

/** The document of a package with all its versions, in our own shape. Keys are in maps: upstream chooses them. */
export interface Packument {
  readonly name: string;
  readonly raw: RawManifest;
  readonly versions: ReadonlyMap<string, RawManifest>;
  /** Names of versions that can't be used, and why. */
  readonly refused: ReadonlyMap<string, string>;
  readonly distTags: ReadonlyMap<string, string>;
  /** As written, of versions and of `created` and `modified`. */
  readonly time: ReadonlyMap<string, string>;
}

const MAX_VERSIONS = 100_000;
const MAX_TAGS = 10_000;
/** No manifest comes near it; beyond, writing it again would end the process. */
const MAX_DEPTH = 200;

/** Throws EcosystemError `malformed` that says where. */
export function parsePackument(bytes: Uint8Array, url: string): Packument {
  const raw = parseObject(bytes, url);
  const { name, versions } = raw;
  if (typeof name !== 'string') throw new EcosystemError('malformed', `packument ${url}: no name`);
  const listed = asObject(versions) ?? {};
  const entries = Object.entries(listed);
  if (entries.length > MAX_VERSIONS) throw new EcosystemError('malformed', `packument ${url}: ${entries.length} versions, at most ${MAX_VERSIONS} are read`);
  const usable = new Map<string, RawManifest>();
  const refused = new Map<string, string>();
  for (const [version, value] of entries) {
    const manifest = asObject(value);
    if (!isVersion(version)) refused.set(version, 'not a version');
    else if (manifest === undefined || manifest['version'] !== version || manifest['name'] !== name) refused.set(version, 'its manifest is of something else');
    else usable.set(version, manifest);
  }
  return { name, raw, versions: usable, refused, distTags: textEntries(raw['dist-tags'], MAX_TAGS), time: textEntries(raw['time'], 2 * MAX_VERSIONS) };
}

export function publishedAt({ time }: Packument, version: string): Instant | undefined {
  return parseInstant(time.get(version) ?? '');
}

/** A JSON object; throws EcosystemError `malformed` on anything else. */
export function parseObject(bytes: Uint8Array, what: string): RawManifest {
  if (isJsonDeeperThan(bytes, MAX_DEPTH)) throw new EcosystemError('malformed', `${what}: nested deeper than ${MAX_DEPTH}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new EcosystemError('malformed', `${what}: not JSON`, { cause });
  }
  const object = asObject(value);
  if (object === undefined) throw new EcosystemError('malformed', `${what}: not a JSON object`);
  return object;
}

export function asObject(value: unknown): RawManifest | undefined {
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is RawManifest {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textEntries(value: unknown, most: number): ReadonlyMap<string, string> {
  const entries = Object.entries(asObject(value) ?? {}).slice(0, most);
  return new Map(entries.flatMap(([key, text]) => (typeof text === 'string' ? [[key, text] as const] : [])));
}
