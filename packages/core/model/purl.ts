import { PackageURL } from 'packageurl-js';

declare const brand: unique symbol;
/** A canonical package URL (purl-spec, ECMA-427). */
export type Purl = string & { readonly [brand]: 'Purl' };

export interface PurlParts {
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string;
  /** The `file_name` qualifier: one artifact of a release. */
  readonly fileName?: string;
}

export function parsePurl(text: string): Purl | undefined {
  try {
    return PackageURL.fromString(text).toString() as Purl;
  } catch {
    return undefined;
  }
}

/** As {@link parsePurl}, for values that our own code wrote: throws RangeError on anything else. */
export function toPurl(text: string): Purl {
  const purl = parsePurl(text);
  if (purl === undefined) throw new RangeError(`${JSON.stringify(text.slice(0, 200))}: not a package URL`);
  return purl;
}

export function formatPurl(parts: PurlParts): Purl {
  const qualifiers = parts.fileName === undefined ? undefined : { file_name: parts.fileName };
  return new PackageURL(parts.type, parts.namespace, parts.name, parts.version, qualifiers, undefined).toString() as Purl;
}

// In canonical form `@` stands before the version only and `?` before qualifiers only; elsewhere both are percent-encoded. Catalogs and
// indexes take purls apart by the thousand, so that is done on the text.

export function purlParts(purl: Purl): PurlParts {
  const release = withoutQualifiers(purl);
  const at = release.lastIndexOf('@');
  const [type = '', ...path] = release.slice('pkg:'.length, at === -1 ? undefined : at).split('/');
  const [name = '', ...namespace] = path.map(decodeURIComponent).toReversed();
  const fileName = fileNameOf(purl);
  return {
    type,
    name,
    ...(namespace.length === 0 ? {} : { namespace: namespace.toReversed().join('/') }),
    ...(at === -1 ? {} : { version: decodeURIComponent(release.slice(at + 1)) }),
    ...(fileName === undefined ? {} : { fileName }),
  };
}

/** `npm` of `pkg:npm/express@4.21.0`: of a purl in canonical form. */
export function typeOf(purl: string): string {
  return purl.slice('pkg:'.length, purl.indexOf('/'));
}

/** The package a purl belongs to: without version and qualifiers. */
export function packageOf(purl: Purl): Purl {
  const release = withoutQualifiers(purl);
  const at = release.lastIndexOf('@');
  return (at === -1 ? release : release.slice(0, at)) as Purl;
}

/** The release a purl belongs to: without qualifiers; undefined when the purl names no version. */
export function releaseOf(purl: Purl): Purl | undefined {
  const release = withoutQualifiers(purl);
  return release.includes('@') ? (release as Purl) : undefined;
}

/**
 * The package and the version of a package URL as people write it, or of a pattern of such: scopes need not be percent-encoded. An `@`
 * that follows a slash begins a namespace (an npm scope), the last of the others a version.
 */
export function splitPurlText(text: string): { readonly package: string; readonly version?: string } {
  const [, name, version] = /^(.*[^/])@([^@/]*)$/s.exec(text) ?? [];
  return name === undefined || version === undefined ? { package: text } : { package: name, version };
}

/** The `file_name` qualifier. */
export function fileNameOf(purl: Purl): string | undefined {
  const [, encoded] = /[?&]file_name=([^&#]+)/.exec(purl) ?? [];
  return encoded === undefined ? undefined : decodeURIComponent(encoded);
}

function withoutQualifiers(purl: Purl): string {
  const end = purl.search(/[?#]/);
  return end === -1 ? purl : purl.slice(0, end);
}
