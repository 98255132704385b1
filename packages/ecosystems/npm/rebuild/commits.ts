import { type CommitManifest, type CommitRules, EcosystemError } from '@granary/contract/ecosystem';
import { type Artifact, purlParts } from '@granary/core/model';
import { isPackageName, isVersion, nameOf } from '../names.ts';
import { parseObject, type RawManifest } from '../schema.ts';

/** How a commit is known to be a release's: the package.json of its name, and tags of its version with and without that name. */
export const npmCommits: CommitRules = {
  aliases: ({ purl }) => {
    const name = nameOf(purl);
    return [...new Set([name, name.slice(name.indexOf('/') + 1)])];
  },
  versions: (target) => [versionOf(target)],
  manifests: ['package.json'],
  readManifest: (fileName, bytes) => (fileName === 'package.json' ? readPackageJson(bytes) : undefined),
  isOf: ({ purl }, { name }) => name === nameOf(purl),
  placesOf: (_, entryPath, directory) => placesOf(entryPath, directory),
};

function versionOf({ purl }: Pick<Artifact, 'purl'>): string {
  return purlParts(purl).version ?? '';
}

/** What release tools leave in a package.json whose version they write only into what is published: `0.0.0-development`, `0.0.0-semantically-released`. */
export function isPlaceholder(version: unknown): boolean {
  return typeof version === 'string' && /^0\.0\.0(?:-|$)/.test(version);
}

function readPackageJson(bytes: Uint8Array): CommitManifest | undefined {
  const manifest = readObject(bytes);
  if (manifest === undefined) return undefined;
  const { name, version } = manifest;
  if (typeof name !== 'string' || !isPackageName(name)) return undefined;
  return { name, ...(typeof version === 'string' && isVersion(version) && !isPlaceholder(version) ? { version } : {}) };
}

function readObject(bytes: Uint8Array): RawManifest | undefined {
  try {
    return parseObject(bytes, 'package.json');
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
}

/** What tools that publish from a repository of many packages copy from its root. */
const COPIED = /^(?:licen[cs]e|readme)(?:[.-][^/]*)?$/i;

/**
 * Clients unpack without the first folder, whatever its name is. What lies beside it is no file of a package to them, and stands nowhere for us: it has a place all the same, since
 * without one it would pass for something that every packer writes.
 */
function placesOf(entryPath: string, directory: string): readonly string[] {
  const path = entryPath.slice(entryPath.indexOf('/') + 1);
  if (directory === '') return [path];
  return COPIED.test(path) ? [`${directory}/${path}`, path] : [`${directory}/${path}`];
}
