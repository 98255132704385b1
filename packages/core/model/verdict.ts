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
export const SOURCE_TIERS = ['commit-attested', 'commit-tagged', 'commit-inferred', 'commit-stated', 'publisher-archive'] as const;
export type SourceTier = (typeof SOURCE_TIERS)[number];

/** How a commit came to be taken for a release's, best first. */
export const SOURCE_EVIDENCES = ['attested', 'embedded', 'tag', 'history', 'content', 'written'] as const;
export type SourceEvidence = (typeof SOURCE_EVIDENCES)[number];

/**
 * What the sources of a release say against each other. `claimed-commit-missing`: the commit that the package names isn't in the repository. `claimed-commit-differs`:
 * another commit holds more of the package's files. `commit-lacks-files`: the package has files, or bytes in them, that neither the commit has nor a build of it made.
 * `claimed-directory-differs`: the package's manifest stands elsewhere. `sources-disagree`: several commits fit equally well,
 * or its attestation names another repository than the package itself.
 */
export const SOURCE_FINDINGS = [
  'claimed-commit-missing',
  'claimed-commit-differs',
  'commit-lacks-files',
  'claimed-directory-differs',
  'sources-disagree',
] as const;
export type SourceFinding = (typeof SOURCE_FINDINGS)[number];

export const FAILURE_CLASSES = [
  'no-source',
  'repository-not-mirrored',
  'commit-not-found',
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

/** Findings that a security engineer must see: somebody says that it was made from what it wasn't. */
export function isSecurityFinding(finding: SourceFinding): boolean {
  return SOURCE_FINDINGS.indexOf(finding) <= SOURCE_FINDINGS.indexOf('commit-lacks-files');
}

/** The first of a release's findings that is relevant to security and isn't put up with. */
export function refusingFinding(findings: readonly SourceFinding[] | undefined, tolerated: readonly SourceFinding[]): SourceFinding | undefined {
  return findings?.find((finding) => isSecurityFinding(finding) && !tolerated.includes(finding));
}

/** Is what is left of a comparison relevant to security? */
export function isSecurityCause(cause: Cause): boolean {
  return CAUSES.indexOf(cause) >= CAUSES.indexOf('extra-upstream-files');
}
