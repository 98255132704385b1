import type { Finding } from './comparison.ts';
import { differencesOf } from './ladder.ts';
import type { ArchivePair } from './pairing.ts';
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

const MAX_UNRULED = 20;

/** Archive metadata that differ though the files are the same, and that no rule speaks of: no rung asks for them, yet a reader may. */
export function unruledMetadata(normalized: ArchivePair): readonly Finding[] {
  const left = differencesOf(normalized);
  const findings = left.slice(0, MAX_UNRULED).map(({ what, path }): Finding => {
    const about: Pick<Finding, 'code' | 'side' | 'detail'> = {
      code: 'archive-metadata',
      side: 'both',
      detail: `the two differ in ${what}, which no rule speaks of`,
    };
    return path === undefined ? about : { ...about, path };
  });
  if (left.length === findings.length) return findings;
  return [...findings, { code: 'archive-metadata', side: 'both', detail: `${left.length - findings.length} more such differences` }];
}
