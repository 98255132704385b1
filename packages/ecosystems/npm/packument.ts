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
  /** False only where the manifest of a version has no such text in it; cheap to ask before it is read. Not for text with quotes, slashes or backslashes. */
  mayMention(version: string, text: string): boolean;
  /** Everything but `versions`, as it was sent. */
  fields(): RawManifest;
  distTags(): ReadonlyMap<string, string>;
  /** As written, of versions and of `created` and `modified`. */
  time(): ReadonlyMap<string, string>;
}

const MAX_VERSIONS = 100_000;
const MAX_TAGS = 10_000;

/** Throws EcosystemError `malformed` that says where. */
export function parsePackument(bytes: Uint8Array, url: string): Packument {
  const parts = membersOf(bytes, url);
  const name = parts.get('name')?.read();
  if (typeof name !== 'string') throw new EcosystemError('malformed', `packument ${url}: no name`);
  const listed = parts.get('versions');
  const versions = partsOf(bytes, listed?.member.members ?? []);
  if (versions.size > MAX_VERSIONS) throw new EcosystemError('malformed', `packument ${url}: ${versions.size} versions, at most ${MAX_VERSIONS} are read`);
  return {
    name,
    manifest: (version) => {
      const read = usableManifest(name, version, versions.get(version)?.read());
      return typeof read === 'string' ? undefined : read;
    },
    readAll() {
      // In one go: much faster than one by one.
      const all = Object.entries(asObject(listed?.read()) ?? {}).map(([version, value]) => [version, usableManifest(name, version, value)] as const);
      return {
        usable: new Map(all.flatMap(([version, read]) => (typeof read === 'string' ? [] : [[version, read] as const]))),
        refused: new Map(all.flatMap(([version, read]) => (typeof read === 'string' ? [[version, read] as const] : []))),
      };
    },
    versionNames: [...versions.keys()],
    // Any letter may be written as an escape.
    mayMention: (version, text) => [text, '\\u'].some((searched) => versions.get(version)?.holds(searched)),
    fields: () => Object.fromEntries([...parts].map(([field, { read }]) => [field, field === 'versions' ? {} : read()])),
    distTags: once(() => textEntries(parts.get('dist-tags')?.read(), MAX_TAGS)),
    time: once(() => textEntries(parts.get('time')?.read(), 2 * MAX_VERSIONS)),
  };
}

export function publishedAt({ time }: Packument, version: string): Instant | undefined {
  return parseInstant(time().get(version) ?? '');
}

function membersOf(bytes: Uint8Array, url: string): ReadonlyMap<string, Part> {
  const outline = outlineJson(bytes, { maxDepth: MAX_DEPTH, within: ['versions'] });
  switch (outline.type) {
    case 'object':
      return partsOf(bytes, outline.members);
    case 'other':
      throw new EcosystemError('malformed', `packument ${url}: not a JSON object`);
    case 'too-deep':
      throw new EcosystemError('malformed', `packument ${url}: nested deeper than ${MAX_DEPTH}`);
    case 'malformed':
      throw new EcosystemError('malformed', `packument ${url}: not JSON at byte ${outline.at}`);
  }
}

/** A part of the document, as text until it is read. */
interface Part {
  readonly member: JsonMember;
  read(): unknown;
  holds(text: string): boolean;
}

function partsOf(bytes: Uint8Array, members: readonly JsonMember[]): ReadonlyMap<string, Part> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const partOf = (member: JsonMember): Part => ({
    member,
    read: () => JSON.parse(textOf(bytes, member.start, member.end)),
    holds: (text) => buffer.subarray(member.start, member.end).includes(text),
  });
  return new Map(members.map((member) => [member.name, partOf(member)]));
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
