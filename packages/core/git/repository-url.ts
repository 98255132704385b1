import { formatPurl, type Purl, purlParts } from '../model/index.ts';

export interface Repository {
  /** `pkg:git/<host>/<path>`, without `.git` at the end. */
  readonly purl: Purl;
  /** Its https address; ends with `.git` where it was written so: some servers know no other. */
  readonly url: string;
}

const MAX_TEXT_CHARS = 2048;
const MAX_SEGMENTS = 32;
/** The forms of gitremote-helpers and of package metadata that lead to a server; `file:`, `ext::` and the like don't. */
const SCHEME = /^(?:scm:git:)?(?:git\+)?(https?|git|ssh|ssh\+git|git\+ssh):\/\/(.*)$/i;
/** `user@host:path` (git-clone(1)). Without a user a host has a dot, else it is a word before a colon: a shorthand, a drive, a helper. */
const SCP_LIKE = /^(?:scm:git:)?(?:[A-Za-z0-9._~+-]+@([A-Za-z0-9][A-Za-z0-9.-]*)|([A-Za-z0-9][A-Za-z0-9-]*\.[A-Za-z0-9.-]+)):(?!:)\/?([^/].*)$/;
/** `user@host:port/path`; npm writes the scp-like form behind ssh:// too, where the path stands in the place of the port. */
const AUTHORITY = /^(?:[^/@]*@)?(\[[0-9A-Fa-f:.]+\]|[^/:@[\]]+)(?::([^/]*))?\/(.*)$/;

/**
 * The repository that an address leads to, as people and packages' metadata write it: https, http, git, ssh, with `git+` before it or
 * `#…` behind it, and `user@host:path`. All become https: what only answers otherwise is reached by a rule (`rewriteUrl`). Users and
 * passwords are dropped, and ports of ssh and git. The path is taken as it is: where a forge's repository ends and its pages begin, only the
 * forge knows. Undefined for what is no such address, or has a path that could be read in two ways.
 */
export function parseRepository(text: string): Repository | undefined {
  const written = text.trim();
  // Untrusted. Parsers of URLs drop some of these silently, turn others into slashes, and programs take a dash for an option.
  if (written.length > MAX_TEXT_CHARS || /^-|[\p{Cc}\p{Bidi_Control}\s\\?]/u.test(written) || !written.isWellFormed()) return undefined;
  const place = placeOf(written.replace(/#.*$/, ''));
  const host = place === undefined ? undefined : canonicalHost(place.host, place.port);
  const segments = place === undefined ? undefined : segmentsOf(place.path);
  if (host === undefined || segments === undefined) return undefined;
  const path = segments.map(encodeSegment).join('/');
  const name = segments.at(-1)?.replace(/\.git$/, '') ?? '';
  if (!isSegment(name) || name.endsWith('.git')) return undefined;
  return { purl: formatPurl({ type: 'git', namespace: [host, ...segments.slice(0, -1)].join('/'), name }), url: `https://${host}/${path}` };
}

/** Its https address, without `.git` at the end. Throws RangeError on what `isRepositoryPurl` refuses. */
export function repositoryUrl(purl: Purl): string {
  const url = urlOf(purl);
  if (parseRepository(url)?.purl !== purl) throw new RangeError(`${JSON.stringify(purl.slice(0, 200))}: not the package URL of a repository`);
  return url;
}

/** Is it what `parseRepository` gives: canonical, with a host and a path, without a version? */
export function isRepositoryPurl(purl: Purl): boolean {
  return parseRepository(urlOf(purl))?.purl === purl;
}

function urlOf(purl: Purl): string {
  const { type, namespace, name } = purlParts(purl);
  if (type !== 'git' || namespace === undefined) return '';
  const [host = '', ...path] = namespace.split('/');
  return `https://${host}/${[...path, name].map(encodeSegment).join('/')}`;
}

interface Place {
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

function placeOf(text: string): Place | undefined {
  const [, scheme, rest] = SCHEME.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return scpPlace(text);
  const [, host, port = '', path] = AUTHORITY.exec(rest) ?? [];
  if (host === undefined || path === undefined) return undefined;
  const isWeb = /^https?$/i.test(scheme);
  if (/^\d*$/.test(port)) return { host, path, port: isWeb && !(scheme.toLowerCase() === 'http' && port === '80') ? port : '' };
  return isWeb ? undefined : { host, path: `${port}/${path}`, port: '' };
}

function scpPlace(text: string): Place | undefined {
  const [, after, dotted, path] = SCP_LIKE.exec(text) ?? [];
  const host = after ?? dotted;
  return host === undefined || path === undefined ? undefined : { host, path, port: '' };
}

/** Lower case, punycode, one form of each IP address, no default port, no dot at the end. */
function canonicalHost(host: string, port: string): string | undefined {
  const url = URL.parse(`https://${host.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}/`);
  return url === null || url.host.startsWith('-') || url.pathname !== '/' ? undefined : url.host;
}

/** Decoded; undefined where a segment would mean something else to one program than to another. */
function segmentsOf(path: string): readonly string[] | undefined {
  const written = path.replace(/\/$/, '').split('/');
  if (written.length > MAX_SEGMENTS) return undefined;
  const segments = written.map(decodeSegment);
  return segments.every((segment) => segment !== undefined && isSegment(segment)) ? segments.filter((segment) => segment !== undefined) : undefined;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Neither empty nor a step, an option, a path of its own, encoded twice, invisible, or with blanks at its ends. */
function isSegment(segment: string): boolean {
  return !/^\.{0,2}$|^-|^\s|\s$|[/\\%]|[\p{Cc}\p{Bidi_Control}]/u.test(segment);
}

/** RFC 3986 3.3: what a segment may hold as it is. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(/%(?:2B|40|3A|26|3D|24|2C|3B)/g, decodeURIComponent);
}
