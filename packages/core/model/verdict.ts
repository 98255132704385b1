/** The comparison ladder, best first (DESIGN, Words). */
export const RUNGS = ['identical', 'identical-content', 'identical-files', 'equivalent', 'assisted', 'custom', 'source-subset'] as const;
export type Rung = (typeof RUNGS)[number];

export const VERDICTS = [
  'reproduced',
  'reproduced-normalized',
  'reproduced-assisted',
  'not-reproduced',
  'failed-to-build',
  'source-not-found',
  'unsupported',
] as const;
/** What is recorded; `error` and `pending` are states that are shown, never facts. */
export type Verdict = (typeof VERDICTS)[number];
export type ShownVerdict = Verdict | 'error' | 'pending';

/** How far the source can be trusted, best first. A `publisher-archive` that is poisoned reproduces perfectly. */
export const SOURCE_TIERS = ['commit-attested', 'commit-tagged', 'commit-inferred', 'publisher-archive'] as const;
export type SourceTier = (typeof SOURCE_TIERS)[number];

export const FAILURE_CLASSES = [
  'no-source',
  'unsupported-ecosystem',
  'unsupported-backend',
  'native-code',
  'not-a-wheel',
  'toolchain-missing',
  'dependency-unavailable',
  'dependency-conflict',
  'build-failed',
  'timeout',
  'out-of-memory',
  'disk-full',
  'output-too-large',
  'output-missing',
  'output-refused',
  'malformed-artifact',
  'upstream-unreachable',
  'digest-mismatch',
  'infrastructure',
] as const;
/** Why there is nothing to compare. */
export type FailureClass = (typeof FAILURE_CLASSES)[number];

export const CAUSES = [
  'nondeterministic',
  'archive-metadata',
  'line-endings',
  'generated-file',
  'build-metadata',
  'toolchain-version',
  'extra-upstream-files',
  'missing-upstream-files',
  'integrity-metadata-wrong',
  'content-unexplained',
] as const;
/** Why what was built differs. The last four are relevant to security. */
export type Cause = (typeof CAUSES)[number];

export function verdictOf(rung: Rung): Verdict {
  switch (rung) {
    case 'identical':
      return 'reproduced';
    case 'identical-content':
    case 'identical-files':
    case 'equivalent':
    case 'source-subset':
      return 'reproduced-normalized';
    case 'assisted':
    case 'custom':
      return 'reproduced-assisted';
  }
}
