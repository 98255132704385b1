import { isDeepStrictEqual } from 'node:util';
import { EcosystemError } from '@granary/contract/ecosystem';
import type { ArtifactRules, DifferingFile } from '@granary/core/compare';
import type { Cause } from '@granary/core/model';
import { tarNormalizers } from '@granary/core/normalize';
import { validRange } from 'semver';
import { isPlaceholder } from './rebuild/commits.ts';
import { asObject, parseObject, type RawManifest } from './schema.ts';

/**
 * How tarballs are compared: modes but the executable bit, times, owners and order are the packer's, and no byte of a file is normalized. What publishing writes into a package.json
 * has a cause, and is a difference.
 */
export const tarballRules: ArtifactRules = { format: 'tar.gz', normalizers: tarNormalizers, causeOf };

/** By file name; undefined for what is no tarball. */
export function npmRules(fileName: string): ArtifactRules | undefined {
  return fileName.endsWith('.tgz') ? tarballRules : undefined;
}

/** Minified files and source maps differ for many reasons, of which the versions of tools are only one: they stay unexplained. */
function causeOf({ path, upstream, rebuild }: DifferingFile): Cause | undefined {
  return /^[^/]+\/package\.json$/.test(path) && saySame(upstream, rebuild) ? 'build-metadata' : undefined;
}

function saySame(upstream: Uint8Array, rebuild: Uint8Array): boolean {
  const [theirs, ours] = [read(upstream), read(rebuild)];
  return theirs !== undefined && ours !== undefined && isDeepStrictEqual(comparable(theirs), asPublished(ours, theirs));
}

function read(bytes: Uint8Array): RawManifest | undefined {
  try {
    return parseObject(bytes, 'package.json');
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
}

/** `gitHead`: the commit it was published from, as old tools write it; that it is the right one is asked elsewhere. */
function comparable({ gitHead: _, ...manifest }: RawManifest): RawManifest {
  return manifest;
}

const DEPENDENCIES = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/** What is written at publishing for what the source leaves open: a version, and ranges of packages of the same repository. */
function asPublished(ours: RawManifest, theirs: RawManifest): RawManifest {
  const version = isPlaceholder(ours['version']) && typeof theirs['version'] === 'string' ? { version: theirs['version'] } : {};
  const ranges = DEPENDENCIES.flatMap((field) => {
    const [wanted, published] = [asObject(ours[field]), asObject(theirs[field])];
    return wanted === undefined || published === undefined ? [] : [[field, Object.fromEntries(Object.entries(wanted).map(withRange(published)))] as const];
  });
  return comparable({ ...ours, ...version, ...Object.fromEntries(ranges) });
}

function withRange(published: RawManifest): (entry: [string, unknown]) => [string, unknown] {
  return ([name, spec]) => [name, Object.hasOwn(published, name) && standsFor(spec, published[name]) ? published[name] : spec];
}

/** `workspace:^` becomes `^1.2.3`, `catalog:` any range (pnpm, Workspaces and Catalogs; yarn, Workspace ranges). */
function standsFor(spec: unknown, range: unknown): boolean {
  if (typeof spec !== 'string' || typeof range !== 'string' || validRange(range) === null) return false;
  const [, sign] = /^workspace:([\^~*])$/.exec(spec) ?? [];
  if (sign !== undefined) return /^\d/.test(sign === '*' ? range : range.startsWith(sign) ? range.slice(1) : '');
  return spec === `workspace:${range}` || spec.startsWith('catalog:');
}
