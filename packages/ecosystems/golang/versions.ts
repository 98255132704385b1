import { type Instant, parseInstant } from '@granary/core/model';
import { compare, parse, prerelease } from 'semver';

const MAX_VERSION_LENGTH = 256;
/** A time and twelve digits of a commit: of a commit that no tag names. */
const PSEUDO = /^v[0-9]+\.(0\.0-|\d+\.\d+-([^+]*\.)?0\.)\d{14}-[A-Za-z0-9]+(\+[0-9A-Za-z.-]+)?$/;

/** A canonical version: `v` and SemVer 2.0.0 in full; as build metadata only `+incompatible` is known. */
export function isVersion(text: string): boolean {
  if (text.length > MAX_VERSION_LENGTH || !/^v\d/.test(text)) return false;
  const parsed = parse(text.slice(1));
  return parsed !== null && (parsed.build.length === 0 || text.endsWith('+incompatible')) && `v${parsed.raw}` === text;
}

/** Made from a commit, and listed by no upstream that keeps to the protocol. */
export function isPseudoVersion(version: string): boolean {
  return PSEUDO.test(version);
}

/** The commit that a pseudo-version names: twelve digits of its id, and its time. */
export function commitOfPseudoVersion(version: string): { readonly idPrefix: string; readonly committedAt: Instant } | undefined {
  if (!isPseudoVersion(version)) return undefined;
  const [, year, month, day, hour, minute, second, idPrefix] = /(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)-([0-9a-f]{12})(?:\+incompatible)?$/.exec(version) ?? [];
  const committedAt = parseInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return idPrefix === undefined || committedAt === undefined ? undefined : { idPrefix, committedAt };
}

/** SemVer precedence. Both are versions. */
export function compareVersions(one: string, other: string): number {
  return compare(one.slice(1), other.slice(1));
}

/** What a client takes when it is told no version: the newest release, or else the newest pre-release, or else the newest of all. */
export function newestVersion(versions: readonly string[]): string | undefined {
  const newestFirst = versions.toSorted((one, other) => compareVersions(other, one));
  const tagged = newestFirst.filter((version) => !isPseudoVersion(version));
  return tagged.find((version) => prerelease(version.slice(1)) === null) ?? tagged[0] ?? newestFirst[0];
}
