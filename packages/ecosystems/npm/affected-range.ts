import { type AffectedInterval, affectedIntervals, type OsvAffected } from '@granary/core/osv';
import semver from 'semver';

/** What OSV says is affected of a package, as a range of npm's; undefined where nothing is. What can't be told is every version. */
export function affectedRange(affected: readonly OsvAffected[]): string | undefined {
  const parts = new Set<string>();
  for (const { ranges, versions } of affected) {
    const counting = ranges.filter(({ type }) => type !== 'GIT');
    for (const range of counting) for (const part of affectedIntervals(range, compareVersions)?.map(toComparators) ?? ['*']) if (part !== '') parts.add(part);
    // What is listed beside a range mostly spells it out.
    const ranged = [...parts].join(' || ');
    for (const version of versions.filter(isVersion)) if (ranged === '' || !isWithin(version, ranged)) parts.add(normal(version));
  }
  if (parts.has('*')) return '*';
  return parts.size === 0 ? undefined : [...parts].join(' || ');
}

/** Prereleases count as versions like others, which is how clients read such ranges. Empty when nothing is in it. */
function toComparators({ from, until }: AffectedInterval): string {
  if (until?.version === '0') return '';
  const start = from === undefined ? '' : `>=${normal(from)}`;
  const end = until === undefined ? '' : `${until.included ? '<=' : '<'}${normal(until.version)}`;
  return [start, end].filter((comparator) => comparator !== '').join(' ') || '*';
}

function isWithin(version: string, range: string): boolean {
  return semver.satisfies(version, range, { includePrerelease: true, loose: true });
}

function compareVersions(a: string, b: string): number | undefined {
  const [left, right] = [semver.parse(a, { loose: true }), semver.parse(b, { loose: true })];
  return left === null || right === null ? undefined : semver.compare(left, right);
}

function isVersion(version: string): boolean {
  return semver.valid(version, { loose: true }) !== null;
}

/** Without what a range would read as something else, such as a `v` before it. */
function normal(version: string): string {
  return semver.valid(version, { loose: true }) ?? version;
}
