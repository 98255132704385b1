import { EcosystemError } from '@granary/contract/ecosystem';
import { type Purl, releaseOf } from '@granary/core/model';
import { packageOfTarball } from '../lockfiles/locked-pins.ts';
import { artifactPurl, isPackageName, isVersion, usualFileName } from '../names.ts';
import { asObject, parseObject, type RawManifest } from '../schema.ts';

/** A project as its lock describes it: enough for `npm ci`. */
export interface LockedProject {
  /** Relative to the project. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** Where releases are installed, in the order in which npm runs their scripts. */
  readonly installed: readonly { readonly location: string; readonly release: Purl }[];
}

/** More workspaces than any project has. */
const MAX_FOLDERS = 5000;
const MAX_ENTRIES = 200_000;
/** What `npm ci` compares with the lock. */
const DECLARED = ['name', 'version', 'dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'peerDependenciesMeta', 'workspaces'];

/** Addresses of registries become those of `registry`, which has their packages at the same paths. Throws EcosystemError `bad-spec`. */
export function readLockedProject(fileName: string, bytes: Uint8Array, registry: string): LockedProject {
  const lock = parseLock(fileName, bytes);
  const packages = asObject(lock['packages']);
  const top = asObject(lock['dependencies']);
  const text = JSON.stringify({
    ...lock,
    ...(packages === undefined ? {} : { packages: withAddresses(packages, registry) }),
    ...(top === undefined ? {} : { dependencies: withNestedAddresses(top, registry) }),
  });
  const folders = packages === undefined ? [{ folder: '', manifest: manifestOfTop(lock, top ?? {}) }] : foldersOf(fileName, packages);
  const files = folders.map(({ folder, manifest }) => ({ path: `${folder}${folder === '' ? '' : '/'}package.json`, text: JSON.stringify(manifest) }));
  const installed = packages === undefined ? installedOfTop(fileName, top ?? {}) : installedOf(packages);
  return { files: [...files, { path: 'package-lock.json', text }], installed: inOrder(installed) };
}

function parseLock(fileName: string, bytes: Uint8Array): RawManifest {
  try {
    return parseObject(bytes, fileName);
  } catch (cause) {
    if (cause instanceof EcosystemError) throw new EcosystemError('bad-spec', cause.message, { cause });
    throw cause;
  }
}

type Located = LockedProject['installed'][number];

function installedOf(packages: RawManifest): readonly Located[] {
  return Object.entries(packages).flatMap(([location, value]) => {
    const at = location.lastIndexOf('node_modules/');
    const { name, version, link, inBundle } = asObject(value) ?? {};
    if (at === -1 || link === true || inBundle === true) return [];
    return located(location, typeof name === 'string' ? name : location.slice(at + 'node_modules/'.length), version);
  });
}

/** Lockfiles of version 1 are nested as what is installed is. */
function installedOfTop(fileName: string, top: RawManifest): readonly Located[] {
  const installed: Located[] = [];
  const open = [{ folder: '', dependencies: top }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [name, value] of Object.entries(next.dependencies)) {
      const entry = asObject(value) ?? {};
      const location = `${next.folder}node_modules/${name}`;
      const [, aliased, version] = /^npm:(.+)@([^@]+)$/.exec(String(entry['version'])) ?? [];
      if (entry['bundled'] !== true) installed.push(...located(location, aliased ?? name, version ?? entry['version']));
      if (installed.length > MAX_ENTRIES) throw new EcosystemError('bad-spec', `${fileName}: more than ${MAX_ENTRIES} entries`);
      open.push({ folder: `${location}/`, dependencies: asObject(entry['dependencies']) ?? {} });
    }
  }
  return installed;
}

function located(location: string, name: string, version: unknown): readonly Located[] {
  if (!isInside(location) || typeof version !== 'string' || !isPackageName(name) || !isVersion(version)) return [];
  const release = releaseOf(artifactPurl(name, version, usualFileName(name, version)));
  return release === undefined ? [] : [{ location, release }];
}

/** What others may depend on comes first: npm goes from the top down, and by location. */
function inOrder(installed: readonly Located[]): readonly Located[] {
  const depth = ({ location }: Located) => location.split('node_modules/').length;
  return installed.toSorted((a, b) => depth(a) - depth(b) || (a.location < b.location ? -1 : 1));
}

/** The project itself, and folders of it that are installed as links. */
function foldersOf(fileName: string, packages: RawManifest): readonly { readonly folder: string; readonly manifest: RawManifest }[] {
  const folders = Object.entries(packages).flatMap(([folder, value]) => {
    if (folder.includes('node_modules/')) return [];
    if (folder !== '' && !isInside(folder))
      throw new EcosystemError('bad-spec', `${fileName}: ${JSON.stringify(folder.slice(0, 200))} lies outside of the project`);
    return [{ folder, manifest: declared(asObject(value) ?? {}) }];
  });
  if (folders.length > MAX_FOLDERS) throw new EcosystemError('bad-spec', `${fileName}: more than ${MAX_FOLDERS} folders`);
  return folders;
}

function declared(entry: RawManifest): RawManifest {
  return Object.fromEntries(DECLARED.flatMap((member) => (entry[member] === undefined ? [] : [[member, entry[member]]])));
}

/** A lock of version 1 doesn't say what the project asks for: everything that lies at the top is asked for as it is. */
function manifestOfTop(lock: RawManifest, top: RawManifest): RawManifest {
  const entries = Object.entries(top).map(([name, value]) => ({ name, entry: asObject(value) ?? {} }));
  const asked = (optional: boolean) =>
    Object.fromEntries(entries.filter(({ entry }) => (entry['optional'] === true) === optional).map(({ name, entry }) => [name, entry['version']]));
  return { ...declared({ name: lock['name'], version: lock['version'] }), dependencies: asked(false), optionalDependencies: asked(true) };
}

function withAddresses(packages: RawManifest, registry: string): RawManifest {
  return Object.fromEntries(Object.entries(packages).map(([location, value]) => [location, withAddress(value, registry)]));
}

function withNestedAddresses(top: RawManifest, registry: string): RawManifest {
  const result = { ...top };
  const open = [result];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [name, value] of Object.entries(next)) {
      const entry = withAddress(value, registry);
      const nested = { ...asObject(asObject(entry)?.['dependencies']) };
      const isNested = asObject(asObject(entry)?.['dependencies']) !== undefined;
      Object.defineProperty(next, name, {
        value: isNested ? { ...asObject(entry), dependencies: nested } : entry,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      if (isNested) open.push(nested);
    }
  }
  return result;
}

function withAddress(value: unknown, registry: string): unknown {
  const entry = asObject(value);
  const resolved = entry?.['resolved'];
  if (entry === undefined || typeof resolved !== 'string') return value;
  const name = packageOfTarball(resolved);
  if (name === undefined) return value;
  const path = new URL(resolved).pathname;
  return { ...entry, resolved: `${registry}${name}/-/${path.slice(path.lastIndexOf('/') + 1)}` };
}

/** A path that stays below the project and can't be taken for anything else. */
function isInside(path: string): boolean {
  return (
    path.length <= 800 && !/[\p{Cc}\\]/u.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.startsWith('-'))
  );
}
