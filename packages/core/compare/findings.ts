import type { Finding } from './comparison.ts';
import type { SideFinding } from './side.ts';

const MAX_FINDINGS = 200;

/** Findings of both sides as one sorted list; what both share is said once. The last one says how many were left out. */
export function mergeFindings(upstream: readonly SideFinding[], rebuild: readonly SideFinding[]): readonly Finding[] {
  const keyOf = (finding: SideFinding): string => JSON.stringify([finding.code, finding.path ?? '', finding.detail]);
  const [theirs, ours] = [new Map(upstream.map((finding) => [keyOf(finding), finding])), new Map(rebuild.map((finding) => [keyOf(finding), finding]))];
  const merged = [...new Map([...theirs, ...ours])]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, finding]): Finding => ({ ...finding, side: theirs.has(key) ? (ours.has(key) ? 'both' : 'upstream') : 'rebuild' }));
  const beyond = merged[MAX_FINDINGS];
  if (beyond === undefined) return merged;
  return [...merged.slice(0, MAX_FINDINGS), { code: beyond.code, side: 'both', detail: `${merged.length - MAX_FINDINGS} more findings left out` }];
}
