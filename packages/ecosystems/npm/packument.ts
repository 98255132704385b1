import { EcosystemError } from '@granary/contract/ecosystem';
import { type Instant, type JsonMember, outlineJson, parseInstant, textOf } from '@granary/core/model';
import { isVersion } from './names.ts';
import { asObject, MAX_DEPTH, type RawManifest } from './schema.ts';

/** The document of a package with all its versions, which are read when somebody asks for them: mostly one of hundreds is wanted. */
export interface Packument {
  readonly name: string;
  /** Manifest of a version; undefined when there is none, or none that can be used. */
  manifest(version: string): RawManifest | undefined;
  /** All of them, in upstream's order: those that can be used, and of the others why not. Keys are in maps: upstream chooses them. */
  readAll(): { readonly usable: ReadonlyMap<string, RawManifest>; readonly refused: ReadonlyMap<string, string> };
  /** In upstream's order, those among them that can't be used. */
  readonly versionNames: readonly string[];
  /** Everything but `versions`, as it was sent. */
  fields(): RawManifest;
  distTags(): ReadonlyMap<string, string>;
  /** As written, of versions and of `created` and `modified`. */
  time(): ReadonlyMap<string, string>;
}

const MAX_VERSIONS = 100_000;
/** Versions, and fields of the document itself, of which there are a few dozen. */
const MAX_MEMBERS = MAX_VERSIONS + 1000;
const MAX_TAGS = 10_000;

/** Throws EcosystemError `malformed` that says where. */
export function parsePackument(bytes: Uint8Array, url: string): Packument {
  const parts = membersOf(bytes, url);
  const read = (part: JsonMember | undefined): unknown => (part === undefined ? undefined : JSON.parse(textOf(bytes, part.start, part.end)));
  const name = read(parts.get('name'));
  if (typeof name !== 'string') throw new EcosystemError('malformed', `packument ${url}: no name`);
  const versions = byName(parts.get('versions')?.members ?? []);
  const readVersion = (version: string) => usableManifest(name, version, read(versions.get(version)));
  return {
    name,
    manifest: (version) => {
      const manifest = readVersion(version);
      return typeof manifest === 'string' ? undefined : manifest;
    },
    readAll() {
      // One by one: JSON.parse of V8 13.6 may take a name with an escape for one that it met before.
      const all = [...versions.keys()].map((version) => [version, readVersion(version)] as const);
      return {
        usable: new Map(all.flatMap(([version, manifest]) => (typeof manifest === 'string' ? [] : [[version, manifest] as const]))),
        refused: new Map(all.flatMap(([version, manifest]) => (typeof manifest === 'string' ? [[version, manifest] as const] : []))),
      };
    },
    versionNames: [...versions.keys()],
    fields: () => Object.fromEntries([...parts].map(([field, part]) => [field, field === 'versions' ? {} : read(part)])),
    distTags: once(() => textEntries(read(parts.get('dist-tags')), MAX_TAGS)),
    time: once(() => textEntries(read(parts.get('time')), 2 * MAX_VERSIONS)),
  };
}

export function publishedAt({ time }: Packument, version: string): Instant | undefined {
  return parseInstant(time().get(version) ?? '');
}

function membersOf(bytes: Uint8Array, url: string): ReadonlyMap<string, JsonMember> {
  const outline = outlineJson(bytes, { maxDepth: MAX_DEPTH, maxMembers: MAX_MEMBERS, within: ['versions'] });
  switch (outline.type) {
    case 'object':
      return byName(outline.members);
    case 'other':
      throw new EcosystemError('malformed', `packument ${url}: not a JSON object`);
    case 'too-deep':
      throw new EcosystemError('malformed', `packument ${url}: nested deeper than ${MAX_DEPTH}`);
    case 'too-many':
      throw new EcosystemError('malformed', `packument ${url}: more than ${MAX_MEMBERS} versions and fields`);
    case 'malformed':
      throw new EcosystemError('malformed', `packument ${url}: not JSON at byte ${outline.at}`);
  }
}

/** The last of a name counts. */
function byName(members: readonly JsonMember[]): ReadonlyMap<string, JsonMember> {
  return new Map(members.map((member) => [member.name, member]));
}

/** Or why it can't be used. */
function usableManifest(name: string, version: string, value: unknown): RawManifest | string {
  if (!isVersion(version)) return 'not a version';
  const manifest = asObject(value);
  return manifest !== undefined && manifest['version'] === version && manifest['name'] === name ? manifest : 'its manifest is of something else';
}

function textEntries(value: unknown, most: number): ReadonlyMap<string, string> {
  const entries = Object.entries(asObject(value) ?? {}).slice(0, most);
  return new Map(entries.flatMap(([key, text]) => (typeof text === 'string' ? [[key, text] as const] : [])));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
