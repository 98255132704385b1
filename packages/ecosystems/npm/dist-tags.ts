import { compareBuild, lte, prerelease } from 'semver';

/** A version that a view shows. */
export interface ShownVersion {
  readonly version: string;
  /** Upstream no longer lists it. */
  readonly vanished: boolean;
}

/**
 * Upstream's tags as far as they mean something that is shown: a tag on nothing breaks installs. `latest` is there always: what it
 * was upstream, or else the highest version shown, stable before prerelease, none above upstream's: those were never the latest.
 */
export function tagsOf(upstream: ReadonlyMap<string, string>, shown: readonly ShownVersion[]): Readonly<Record<string, string>> {
  const versions = new Set(shown.map(({ version }) => version));
  const kept = [...upstream].filter(([, version]) => versions.has(version));
  if (kept.some(([tag]) => tag === 'latest')) return Object.fromEntries(kept);
  const latest = highest(shown, upstream.get('latest'));
  return Object.fromEntries([...(latest === undefined ? [] : [['latest', latest] as const]), ...kept]);
}

function highest(shown: readonly ShownVersion[], bound: string | undefined): string | undefined {
  const rank = ({ version, vanished }: ShownVersion) =>
    (vanished ? 4 : 0) + (bound !== undefined && !lte(version, bound, { loose: true }) ? 2 : 0) + (prerelease(version, { loose: true }) === null ? 0 : 1);
  return [...shown].sort((a, b) => rank(a) - rank(b) || compareBuild(b.version, a.version, { loose: true }))[0]?.version;
}
