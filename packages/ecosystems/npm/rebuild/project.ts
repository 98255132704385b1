import { type Artifact, purlParts } from '@granary/core/model';
import { isVersion, nameOf } from '../names.ts';
import { asObject, type RawManifest } from '../schema.ts';
import { isPlaceholder } from './commits.ts';
import { findLock, type ProjectLock } from './project-lock.ts';
import type { SourceTree } from './source-tree.ts';

/** What a commit tells of how one of its packages is made. */
export interface Project {
  readonly directory: string;
  readonly lock: ProjectLock | undefined;
  /** What it asks for itself, as `name@range`, sorted: with no lock, that is what there is. */
  readonly ranges: readonly string[];
  /** Names of scripts, of the package and of the folder that its lock lies in. */
  readonly scripts: ReadonlySet<string>;
  readonly projectScripts: ReadonlySet<string>;
  /** Ranges that only its own package manager turns into others: `workspace:^`, `catalog:`. */
  readonly needsOwnPacker: boolean;
  /** The version to write before it is packed; empty where the source has it. */
  readonly version: string;
  readonly committedAt: number | undefined;
}

const ASKED = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
const MAX_RANGES = 1000;

export function readProject(tree: SourceTree, target: Artifact, directory: string): Project {
  const manifest = tree.manifest(directory);
  const lock = findLock(tree, directory);
  const specs = ASKED.flatMap((field) => Object.entries(asObject(manifest[field]) ?? {}));
  const { version = '' } = purlParts(target.purl);
  return {
    directory,
    lock,
    ranges: rangesOf(manifest),
    scripts: scriptsOf(manifest),
    projectScripts: lock === undefined || lock.project === directory ? new Set() : scriptsOf(tree.manifest(lock.project)),
    needsOwnPacker: specs.some(([, spec]) => typeof spec === 'string' && /^(?:workspace|catalog):/.test(spec)),
    version: manifest['name'] === nameOf(target.purl) && (manifest['version'] === undefined || isPlaceholder(manifest['version'])) ? version : '',
    committedAt: tree.committedAt,
  };
}

/** What `npm install` brings there, without the packages that others bring. A version is a range too: it brings others with it, as one that a lock names doesn't. */
function rangesOf(manifest: RawManifest): readonly string[] {
  const wanted = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((field) => Object.entries(asObject(manifest[field]) ?? {}));
  const ranges = wanted.flatMap(([name, range]) => (typeof range === 'string' ? [`${name}@${isVersion(range) ? '=' : ''}${range}`] : []));
  return [...new Set(ranges)].sort().slice(0, MAX_RANGES);
}

function scriptsOf(manifest: RawManifest): ReadonlySet<string> {
  const scripts = Object.entries(asObject(manifest['scripts']) ?? {});
  return new Set(scripts.flatMap(([name, line]) => (typeof line === 'string' && line.trim() !== '' ? [name] : [])));
}
