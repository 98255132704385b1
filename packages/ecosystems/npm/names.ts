import { formatPurl, type Purl, purlParts } from '@granary/core/model';
import { valid } from 'semver';

/** What the registry ever accepted, old names with capitals and `!'()*~` too. Neither a path nor the start of an option. */
const NAME = /^(?:@[A-Za-z0-9~!'()*_-][A-Za-z0-9~!'()*._-]*\/)?(?![._])[A-Za-z0-9~!'()*._-]+$/;
const MAX_NAME_LENGTH = 214;
const MAX_VERSION_LENGTH = 256;
/** Names that may stand in a path and in a header without escaping. */
const SAFE_FILE_NAME = /^(?![.])[A-Za-z0-9~!'()*._+-]{1,250}\.tgz$/;

export function isPackageName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && NAME.test(name) && name !== 'node_modules' && name !== 'favicon.ico';
}

/** Semantic versions, and what passed for one before the registry insisted. */
export function isVersion(version: string): boolean {
  return version.length <= MAX_VERSION_LENGTH && /^\d[0-9A-Za-z.+-]*$/.test(version) && valid(version, { loose: true }) !== null;
}

/** `pkg:npm/%40types/node`. */
export function packagePurl(name: string): Purl {
  return formatPurl({ type: 'npm', ...purlName(name) });
}

export function artifactPurl(name: string, version: string, fileName: string): Purl {
  return formatPurl({ type: 'npm', ...purlName(name), version, fileName });
}

/** The name as npm writes it: `@types/node`. */
export function nameOf(purl: Purl): string {
  const { namespace, name } = purlParts(purl);
  return withCapitals(namespace === undefined ? name : `${namespace}/${name}`);
}

/** What `npm pack` calls the tarball. */
export function usualFileName(name: string, version: string): string {
  return `${withoutScope(name)}-${version.split('+', 1)[0]}.tgz`;
}

export function isTarballName(fileName: string): boolean {
  return SAFE_FILE_NAME.test(fileName);
}

function withoutScope(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

function purlName(name: string): { readonly namespace?: string; readonly name: string } {
  const slash = name.indexOf('/');
  if (slash === -1) return { name: withoutCapitals(name) };
  return { namespace: withoutCapitals(name.slice(0, slash)), name: withoutCapitals(name.slice(slash + 1)) };
}

/** Package URLs of this type are lower case, but the registry has `JSONStream` and `jsonstream`, which are two packages: capitals are written as Go's module proxy does it, `!j!s!o!n!stream`. */
function withoutCapitals(text: string): string {
  return text.replace(/[A-Z!]/g, (character) => `!${character.toLowerCase()}`);
}

function withCapitals(text: string): string {
  return text.replace(/!([a-z!])/g, (_, character: string) => character.toUpperCase());
}
