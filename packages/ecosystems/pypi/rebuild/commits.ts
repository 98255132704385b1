import type { CommitRules } from '@granary/contract/ecosystem';
import { type Artifact, purlParts } from '@granary/core/model';
import { normalizeName } from '../names.ts';
import { MANIFESTS, readManifest } from './manifests.ts';
import { tagVersions } from './tag-versions.ts';

/** How a wheel or source archive is known to be made from a commit. */
export const pypiCommits: CommitRules = {
  aliases(target) {
    const { name } = purlParts(target.purl);
    return [...new Set([name, stemOf(target)])];
  },
  versions: (target) => tagVersions(purlParts(target.purl).version ?? ''),
  manifests: MANIFESTS,
  readManifest,
  isOf: (target, { name }) => name === undefined || normalizeName(name) === normalizeName(purlParts(target.purl).name),
  placesOf: ({ fileName }, entryPath, directory) =>
    (fileName.endsWith('.whl') ? placesOfWheel(entryPath) : placesOfSdist(entryPath)).flatMap((path) =>
      directory === '' ? [path] : [`${directory}/${path}`, path],
    ),
};

/** What the file name has before the version: the project's name as its publisher's tools spell it. */
function stemOf({ purl, fileName }: Artifact): string {
  const { name } = purlParts(purl);
  const stem = fileName.slice(0, name.length);
  return normalizeName(stem) === name ? stem : name;
}

/** Files of `.dist-info` that tools write: PEP 427, 376, 610, 639 and what setuptools, pbr and others add. Any other may have been put there. */
const WRITTEN_DIST_INFO =
  /^(?:METADATA|WHEEL|RECORD(?:\.jws|\.p7s)?|entry_points\.txt|top_level\.txt|namespace_packages\.txt|dependency_links\.txt|zip-safe|not-zip-safe|pbr\.json|scm_(?:file_list|version)\.json|metadata\.json|DESCRIPTION\.rst|INSTALLER|REQUESTED|direct_url\.json|build_details\.json)$/;
const WRITTEN_EGG_INFO =
  /^(?:PKG-INFO|SOURCES\.txt|entry_points\.txt|top_level\.txt|namespace_packages\.txt|dependency_links\.txt|requires\.txt|depends\.txt|eager_resources\.txt|native_libs\.txt|zip-safe|not-zip-safe|pbr\.json|scm_(?:file_list|version)\.json)$/;

/** Code lies at the root, or below the folder that a project keeps it in. */
function placesOfWheel(path: string): readonly string[] {
  const [, info] = /^[^/]+\.dist-info\/(.+)$/.exec(path) ?? [];
  if (info !== undefined) return WRITTEN_DIST_INFO.test(info) ? [] : [info.replace(/^(?:licenses|license_files)\//, '')];
  const [, scheme, below] = /^[^/]+\.data\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (scheme === undefined || below === undefined) return inSources(path);
  // Scripts get another first line, data and headers come from wherever a project says; modules are code like any other.
  return scheme === 'purelib' || scheme === 'platlib' ? inSources(below) : [];
}

function inSources(path: string): readonly string[] {
  return [path, `src/${path}`, `lib/${path}`];
}

/** Below the one folder of an sdist lies the project as it is; setuptools writes setup.cfg anew. */
function placesOfSdist(path: string): readonly string[] {
  const slash = path.indexOf('/');
  if (slash === -1) return [path];
  const below = path.slice(slash + 1);
  const [, info] = /^(?:[^/]+\/)?[^/]+\.egg-info\/([^/]+)$/.exec(below) ?? [];
  const isWritten = below === 'PKG-INFO' || below === 'setup.cfg' || (info !== undefined && WRITTEN_EGG_INFO.test(info));
  return isWritten ? [] : [below];
}
