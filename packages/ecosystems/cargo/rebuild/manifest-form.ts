import { contentOf, type TarArchive } from '@granary/core/archive';
import { type Normalizer, tarRule } from '@granary/core/normalize';
import type { TomlTable, TomlValue } from 'smol-toml';
import { canonicalToml, isTable, readTomlTable, valueAt } from './canonical-toml.ts';
import { type PackedFiles, packedFiles } from './packed-files.ts';
import { libraryOf, plainPath, TARGET_KINDS, type TargetRules, targetsOf } from './packed-targets.ts';

/** Above anything that {@link readTomlTable} reads. */
const MAX_BYTES = 2 ** 21;
/** What a package's root resolves with unless it says so (the Cargo book, resolver versions). */
const RESOLVERS: ReadonlyMap<string, string> = new Map([
  ['2015', '1'],
  ['2018', '1'],
  ['2021', '2'],
  ['2024', '3'],
]);
/** In the order in which cargo looks for them. */
const READMES = ['README.md', 'README.txt', 'README'];
const DEPENDENCIES: ReadonlySet<string> = new Set(['dependencies', 'dev-dependencies', 'build-dependencies']);
const SAY_NOTHING_EMPTY: ReadonlySet<string> = new Set([...DEPENDENCIES, 'features']);

export const manifestForm: Normalizer = tarRule(
  {
    name: 'crate.manifest-form',
    version: 1,
    reason:
      'versions of cargo write one manifest in several forms: the order of keys, targets that are listed or found among the packed files, what is the default anyway; all else has to be equal',
  },
  withCanonicalManifest,
);

/** As it is where there is no canonical form: then every difference is one. */
function withCanonicalManifest(archive: TarArchive): TarArchive {
  const files = packedFiles(archive);
  const manifests = archive.entries.filter(({ path }) => path === `${files?.folder}/Cargo.toml`);
  const [manifest] = manifests;
  if (files === undefined || manifest === undefined || manifests.length > 1 || manifest.content.sizeBytes > MAX_BYTES) return archive;
  const text = decoded(manifest.content.read());
  const canonical = text === undefined ? undefined : canonicalManifest(text, files);
  if (canonical === undefined || canonical === text) return archive;
  const content = contentOf(new TextEncoder().encode(canonical));
  return { ...archive, entries: archive.entries.map((entry) => (entry === manifest ? { ...entry, content } : entry)) };
}

/**
 * The one form of a manifest that cargo wrote into a crate with these files, itself a manifest that says the same. Undefined where it can't be told what the manifest says. Untrusted.
 */
function canonicalManifest(text: string, files: PackedFiles): string | undefined {
  const manifest = readTomlTable(text);
  const about = manifest === undefined ? undefined : valueAt(manifest, 'package');
  if (manifest === undefined || !isTable(about)) return undefined;
  const description = canonicalPackage(about, files);
  const targets = canonicalTargets(manifest, about, files);
  if (description === undefined || targets === undefined) return undefined;
  const others = Object.entries(withoutEmpty(manifest, SAY_NOTHING_EMPTY))
    .filter(([key]) => key !== 'package' && key !== 'lib' && TARGET_KINDS.every((kind) => kind.key !== key))
    .map(([key, value]): readonly [string, TomlValue] => [key, canonicalValue(key, value)]);
  return canonicalToml({ ...Object.fromEntries(others), ...targets, package: description });
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** All targets are listed, so that nothing is looked for. */
const LISTED: TomlTable = { autolib: false, autobins: false, autoexamples: false, autotests: false, autobenches: false };

function canonicalPackage(about: TomlTable, { paths }: PackedFiles): TomlTable | undefined {
  const build = valueAt(about, 'build') ?? paths.has('build.rs');
  const readme = valueAt(about, 'readme') ?? READMES.find((name) => paths.has(name)) ?? false;
  if (Object.keys(LISTED).some((key) => !isBooleanOrNone(valueAt(about, key)))) return undefined;
  const resolver = RESOLVERS.get(editionOf(about) ?? '');
  const kept = Object.entries(about).filter(([key, value]) => key !== 'resolver' || value !== resolver);
  return {
    ...Object.fromEntries(kept.map(([key, value]) => [key, key === 'license-file' ? fileOf(value, value) : value])),
    ...LISTED,
    build: fileOf(build, 'build.rs'),
    readme: fileOf(readme, 'README.md'),
  };
}

/** `true` stands for the usual file. */
function fileOf(value: TomlValue, usual: TomlValue): TomlValue {
  if (value === true) return usual;
  return typeof value === 'string' ? plainPath(value) : value;
}

function canonicalTargets(manifest: TomlTable, about: TomlTable, files: PackedFiles): TomlTable | undefined {
  const [packageName, edition] = [valueAt(about, 'name'), editionOf(about)];
  if (typeof packageName !== 'string' || edition === undefined) return undefined;
  const rules = (automatic: string): TargetRules => ({ packageName, edition, automatic: booleanAt(about, automatic), files });
  const library = libraryOf(valueAt(manifest, 'lib'), rules('autolib'));
  const lists = TARGET_KINDS.map((kind) => [kind.key, targetsOf(kind, valueAt(manifest, kind.key), rules(kind.automatic))] as const);
  if (library === undefined || lists.some(([, targets]) => targets === undefined)) return undefined;
  const listed = lists.flatMap(([key, targets]) => (targets === undefined || targets.length === 0 ? [] : [[key, [...targets]] as const]));
  return { ...Object.fromEntries(listed), ...(library === false ? {} : { lib: library }) };
}

function editionOf(about: TomlTable): string | undefined {
  const edition = valueAt(about, 'edition') ?? '2015';
  return typeof edition === 'string' && RESOLVERS.has(edition) ? edition : undefined;
}

function booleanAt(table: TomlTable, key: string): boolean | undefined {
  const value = valueAt(table, key);
  return typeof value === 'boolean' ? value : undefined;
}

function isBooleanOrNone(value: TomlValue | undefined): boolean {
  return value === undefined || typeof value === 'boolean';
}

function canonicalValue(key: string, value: TomlValue): TomlValue {
  if (!isTable(value)) return value;
  if (key === 'target') return mapped(value, (platform) => (isTable(platform) ? withoutEmpty(platform, DEPENDENCIES) : platform));
  return key === 'profile' ? mapped(value, canonicalProfile) : value;
}

/** With its overrides, for build scripts and for single packages (the Cargo book, profile overrides). */
function canonicalProfile(profile: TomlValue): TomlValue {
  if (!isTable(profile)) return profile;
  return mapped(withNumbers(profile), (value, key) => {
    if (!isTable(value)) return value;
    if (key === 'build-override') return withNumbers(value);
    return key === 'package' ? mapped(value, (override) => (isTable(override) ? withNumbers(override) : override)) : value;
  });
}

/** `debug` is a number since 1.71. */
function withNumbers(profile: TomlTable): TomlTable {
  return mapped(profile, (value, key) => (key === 'debug' && typeof value === 'boolean' ? (value ? 2n : 0n) : value));
}

function withoutEmpty(table: TomlTable, keys: ReadonlySet<string>): TomlTable {
  return Object.fromEntries(Object.entries(table).filter(([key, value]) => !keys.has(key) || !isTable(value) || Object.keys(value).length > 0));
}

function mapped(table: TomlTable, change: (value: TomlValue, key: string) => TomlValue): TomlTable {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value, key)]));
}
