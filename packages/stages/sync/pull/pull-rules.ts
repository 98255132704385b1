import { type Purl, packageOf, releaseOf, splitPurlText } from '@granary/core/model';

/** What may be fetched because a client asks for it: patterns of package URLs, in which `*` stands for anything. */
export interface PullRules {
  readonly allow: readonly string[];
  /** Goes before `allow`. */
  readonly deny: readonly string[];
}

/** May anything of this package, or this release or file, be fetched? A pattern with a version is about releases, and about their package as far as it allows. */
export type Permits = (purl: Purl) => boolean;

export function pullPermits({ allow, deny }: PullRules): Permits {
  const denied = deny.map(toPattern);
  const allowed = allow.map(toPattern);
  return (purl) => {
    const packageText = readable(packageOf(purl));
    const release = releaseOf(purl);
    const releaseText = release && readable(release);
    const covers = ({ ofPackage, ofRelease }: Pattern) =>
      ofRelease === undefined ? ofPackage.test(packageText) : releaseText !== undefined && ofRelease.test(releaseText);
    const mayCover = (pattern: Pattern) => (releaseText === undefined ? pattern.ofPackage.test(packageText) : covers(pattern));
    return !denied.some(covers) && allowed.some(mayCover);
  };
}

interface Pattern {
  readonly ofPackage: RegExp;
  /** Where it names a version. */
  readonly ofRelease?: RegExp;
}

function toPattern(text: string): Pattern {
  const { package: name, version } = splitPurlText(text);
  return version === undefined ? { ofPackage: glob(name) } : { ofPackage: glob(name), ofRelease: glob(text) };
}

function glob(text: string): RegExp {
  return new RegExp(
    `^${readable(text)
      .split(/\*+/)
      .map((literal) => RegExp.escape(literal))
      .join('.*')}$`,
    's',
  );
}

/** As people write it: canonical form has scopes percent-encoded. */
function readable(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
