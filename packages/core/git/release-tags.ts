/** How tags may name a release. */
export interface ReleaseName {
  /** Names of the package that may stand before the version, the most telling first. */
  readonly aliases: readonly string[];
  /** Spellings of the version, the usual one first, without a leading `v`. */
  readonly versions: readonly string[];
}
/** `package`: its whole name stands before the version. `part`: a part of it. `bare`: nothing but the version. `other`: the name of something else, or more after it. */
export type TagFit = 'package' | 'part' | 'bare' | 'other';
export interface ReleaseTag {
  /** The full name of the ref. */
  readonly ref: string;
  readonly fit: TagFit;
}

const FITS: readonly TagFit[] = ['package', 'part', 'bare', 'other'];
const PREFIX = 'refs/tags/';
/** What people put before a version that says nothing of the package. */
const BARE = /^(v|ver|version|rel|release|releases|tag|tags)?$/;
/** After the version of a release this names another one. */
const PRERELEASE = /^[-._+]?(a|b|c|alpha|beta|dev|rc|pre|preview|canary|next|nightly|post|snapshot|m)[-._]?\d*\b/i;
const MAX_TAGS = 12;

/** Tags that may name a release, best first, at most 12: by how much of the package's name stands before the version, then by name. */
export function releaseTags(refs: Iterable<string>, { aliases, versions }: ReleaseName): readonly ReleaseTag[] {
  const names = aliases.map(plain).filter((alias) => alias !== '');
  const spelled = versions.filter((version) => version !== '').map(versionAtEnd);
  const found: ReleaseTag[] = [];
  for (const ref of refs) {
    const fit = ref.startsWith(PREFIX) ? fitOf(ref.slice(PREFIX.length), spelled, names) : undefined;
    if (fit !== undefined) found.push({ ref, fit });
  }
  return found.toSorted((one, other) => FITS.indexOf(one.fit) - FITS.indexOf(other.fit) || (one.ref < other.ref ? -1 : 1)).slice(0, MAX_TAGS);
}

function fitOf(tag: string, versions: readonly RegExp[], names: readonly string[]): TagFit | undefined {
  for (const version of versions) {
    const { before, after } = version.exec(tag)?.groups ?? {};
    if (before === undefined || after === undefined || PRERELEASE.test(after)) continue;
    if (after !== '') return 'other';
    const prefix = plain(before);
    const stem = prefix.replace(/-?(v|ver|version|rel|release)$/, '');
    if (names.includes(prefix) || names.includes(stem)) return 'package';
    if (BARE.test(prefix) || BARE.test(stem)) return 'bare';
    return names.some((name) => isPart(stem, name)) ? 'part' : 'other';
  }
  return undefined;
}

/** The version with any of the usual separators, not within another number. */
function versionAtEnd(version: string): RegExp {
  const parts = version.split(/[._-]/).map((part) => part.replace(/[^A-Za-z0-9]/g, '\\$&'));
  return new RegExp(`^(?<before>(?:.*[^0-9.])?)${parts.join('[._-]')}(?<after>(?:(?!\\.[0-9])[^0-9].*)?)$`, 'is');
}

/** `@scope/some_name` and `scope-some-name` are the same. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function isPart(prefix: string, name: string): boolean {
  return prefix !== '' && (`-${name}-`.includes(`-${prefix}-`) || `-${prefix}-`.includes(`-${name}-`));
}
