import { type CommitManifest, type CommitRules, EcosystemError, readToml } from '@granary/contract/ecosystem';
import { type Artifact, purlParts } from '@granary/core/model';
import { z } from 'zod';
import { isCrateName, isVersion } from '../names.ts';

/** What cargo writes by itself into every crate, at its top. */
const WRITTEN = new Set(['Cargo.toml', 'Cargo.lock', '.cargo_vcs_info.json']);
/** What a manifest's `readme` and `license-file` may name above the package: cargo packs it at the top (the Cargo book, the manifest format). */
const FROM_ABOVE = /^(?:readme|licen[cs]e|unlicense|copying|copyright|notice)/i;

/** Of a megabyte, a parser may have to look at each of a million nested tables; the largest of real manifests have a fifth of this. */
const MAX_MANIFEST_BYTES = 512 * 1024;
const InheritedVersion = z.object({ workspace: z.literal(true) });
const PackageManifest = z.object({ package: z.object({ name: z.string().max(64), version: z.union([z.string().max(256), InheritedVersion]).optional() }) });

/** How a commit is known to be the one that a crate was packed from. */
export const crateCommits: CommitRules = {
  aliases(target) {
    const name = crateName(target);
    return [...new Set([name, name.replaceAll('_', '-'), name.replaceAll('-', '_')])];
  },
  versions(target) {
    const { version = '' } = purlParts(target.purl);
    // Tags often leave out what says of which build it is (semver.org 2.0.0, 10).
    return [...new Set([version, version.replace(/\+.*$/, '')])];
  },
  manifests: ['Cargo.toml'],
  readManifest,
  isOf: (target, { name }) => name?.toLowerCase() === crateName(target).toLowerCase(),
  placesOf,
};

/** Of what is no package, as the root of a workspace may be, undefined. A version that the workspace says is left open. */
function readManifest(fileName: string, bytes: Uint8Array): CommitManifest | undefined {
  if (bytes.length > MAX_MANIFEST_BYTES) return undefined;
  let manifest: z.output<typeof PackageManifest>;
  try {
    manifest = readToml(fileName, new TextDecoder().decode(bytes), PackageManifest);
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
  const { name, version } = manifest.package;
  if (!isCrateName(name)) return undefined;
  if (typeof version !== 'string') return { name };
  return isVersion(version) ? { name, version } : undefined;
}

/** `Cargo.toml.orig` is the manifest as its author wrote it; `Cargo.toml` is what cargo made of that. */
function placesOf({ fileName }: Artifact, entryPath: string, directory: string): readonly string[] {
  const folder = `${fileName.replace(/\.crate$/, '')}/`;
  // Outside of the crate's own folder nothing is cargo's: no tree has it.
  if (!entryPath.startsWith(folder)) return [inside(directory, entryPath)];
  const path = entryPath.slice(folder.length);
  if (WRITTEN.has(path)) return [];
  if (path === 'Cargo.toml.orig') return [inside(directory, 'Cargo.toml')];
  const mayBeAbove = !path.includes('/') && FROM_ABOVE.test(path);
  return (mayBeAbove ? [directory, ...foldersAbove(directory)] : [directory]).map((place) => inside(place, path));
}

/** As its author writes it: package URLs have it in lower case. */
export function crateName({ fileName, purl }: Pick<Artifact, 'fileName' | 'purl'>): string {
  return fileName.slice(0, -`-${purlParts(purl).version ?? ''}.crate`.length);
}

function inside(directory: string, path: string): string {
  return directory === '' ? path : `${directory}/${path}`;
}

function foldersAbove(directory: string): readonly string[] {
  const parts = directory === '' ? [] : directory.split('/');
  return parts.map((_, index) => parts.slice(0, parts.length - 1 - index).join('/'));
}
