import { formatPurl, type Purl, purlParts } from '@granary/core/model';
import { valid } from '@renovatebot/pep440';

/** Normalized project name (PEP 503): runs of `-`, `_`, `.` are one `-`, lower case. */
export function normalizeName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** The normal form of a PEP 440 version; undefined when it is none. */
export function normalizeVersion(version: string): string | undefined {
  return valid(version) ?? undefined;
}

export function packagePurl(name: string): Purl {
  return formatPurl({ type: 'pypi', name: normalizeName(name) });
}
export function artifactPurl(name: string, version: string, fileName: string): Purl {
  return formatPurl({ type: 'pypi', name: normalizeName(name), version, fileName });
}
export function nameOf(purl: Purl): string {
  return purlParts(purl).name;
}

/** What kind of distribution a file is, by its name alone. */
export type Distribution =
  | { readonly kind: 'wheel'; readonly version: string; readonly build?: string; readonly python: string; readonly abi: string; readonly platform: string }
  | { readonly kind: 'sdist'; readonly version: string; readonly suffix: string }
  | { readonly kind: 'legacy'; readonly version: string };

const SDIST_SUFFIXES = ['.tar.gz', '.zip', '.tar.bz2', '.tgz', '.tar.xz', '.tar.Z', '.tar'];
const LEGACY_SUFFIX = /\.(egg|exe|msi|rpm|deb|dmg|whl\.zip)$/;
/** Names that may stand in a path and in a header without escaping. */
const SAFE_FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}$/;

/** Reads a file name of a known project (PEP 427, PEP 625 and what came before them); undefined when it isn't one of this project. */
export function parseFileName(project: string, fileName: string): Distribution | undefined {
  if (!SAFE_FILE_NAME.test(fileName)) return undefined;
  if (fileName.endsWith('.whl')) return parseWheelName(project, fileName);
  const suffix = SDIST_SUFFIXES.find((candidate) => fileName.endsWith(candidate));
  if (suffix !== undefined) {
    const version = versionAfter(project, fileName.slice(0, -suffix.length));
    return version === undefined ? undefined : { kind: 'sdist', version, suffix };
  }
  if (!LEGACY_SUFFIX.test(fileName)) return undefined;
  const stem = fileName.replace(LEGACY_SUFFIX, '').replace(/(-py\d.*|[.-](win32|win-amd64|linux|macosx|noarch|src).*)$/, '');
  const version = versionAfter(project, stem);
  return version === undefined ? undefined : { kind: 'legacy', version };
}

/** PEP 427: name-version(-build)?-python-abi-platform.whl. */
function parseWheelName(project: string, fileName: string): Distribution | undefined {
  const parts = fileName.slice(0, -'.whl'.length).split('-');
  const [name = '', rawVersion = ''] = parts;
  const [python, abi, platform] = parts.slice(-3);
  if ((parts.length !== 5 && parts.length !== 6) || python === undefined || abi === undefined || platform === undefined) return undefined;
  const version = normalizeVersion(rawVersion.replaceAll('_', '-'));
  if (normalizeName(name) !== normalizeName(project) || version === undefined) return undefined;
  const build = parts.length === 6 ? parts[2] : undefined;
  return { kind: 'wheel', version, python, abi, platform, ...(build === undefined ? {} : { build }) };
}

/** Before PEP 625 project names held dashes: the version begins at the dash where what stands before is the name. */
function versionAfter(project: string, stem: string): string | undefined {
  for (let dash = stem.indexOf('-'); dash !== -1; dash = stem.indexOf('-', dash + 1)) {
    if (normalizeName(stem.slice(0, dash)) !== normalizeName(project)) continue;
    const version = normalizeVersion(stem.slice(dash + 1));
    if (version !== undefined) return version;
  }
  return undefined;
}

/** A wheel that holds no machine code and needs no platform: `…-none-any.whl`. */
export function isPureWheel(fileName: string): boolean {
  return fileName.endsWith('-none-any.whl');
}
