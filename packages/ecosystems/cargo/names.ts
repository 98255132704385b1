import { formatPurl, type Purl, purlParts } from '@granary/core/model';

/** What a registry takes as the name of a crate, in the case that its author chose. */
const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
/** semver.org 2.0.0. All of it may stand in a path, in a header and in a file name. */
const VERSION = /^(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const MAX_VERSION_LENGTH = 200;

export function isCrateName(name: string): boolean {
  return NAME.test(name);
}

export function isVersion(text: string): boolean {
  return text.length <= MAX_VERSION_LENGTH && VERSION.test(text);
}

/**
 * Registries hold no two names that differ by case, and clients ask in lower case: so the package is named. The author's own case stands in
 * its files' names and in the index.
 */
export function packagePurl(name: string): Purl {
  return formatPurl({ type: 'cargo', name: name.toLowerCase() });
}

export function artifactPurl(name: string, version: string): Purl {
  return formatPurl({ type: 'cargo', name: name.toLowerCase(), version, fileName: crateFileName(name, version) });
}

/** In lower case. */
export function nameOf(purl: Purl): string {
  return purlParts(purl).name;
}

export function crateFileName(name: string, version: string): string {
  return `${name}-${version}.crate`;
}

/** Where a crate lies below our prefix: name and version in it, so that refusals hold on the address alone. */
export function cratePath(name: string, version: string): string {
  return `crates/${name}/${crateFileName(name, version)}`;
}

/** Folders of an index file, made from the name as it is written (the Cargo book, index files). */
export function indexPrefix(name: string): string {
  if (name.length <= 2) return String(name.length);
  return name.length === 3 ? `3/${name.slice(0, 1)}` : `${name.slice(0, 2)}/${name.slice(2, 4)}`;
}

/** Index files lie under lower-case names. */
export function indexPath(name: string): string {
  const lower = name.toLowerCase();
  return `${indexPrefix(lower)}/${lower}`;
}
