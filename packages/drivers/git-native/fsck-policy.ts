import type { FsckFinding } from '@granary/contract/ports';

/**
 * Messages of git-fsck(1) that are recorded and don't refuse a pack: histories written by old or other programs have them, git reads them, and no client does
 * anything else because of them. Everything else that git calls an error, or a warning that is an error when objects come from outside, refuses the pack:
 * `.git` in a tree, names that leave it, the same name twice, a `.gitmodules` with a command, headers that end early.
 */
const KEPT = [
  // Who and when, in commits and tags.
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badName',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'multipleAuthors',
  'zeroPaddedDate',
  // Tags from before taggers, and names that a ref could not have.
  'missingTaggerEntry',
  'badTagName',
  // A message with a NUL is shown up to it.
  'nulInCommit',
  // Modes are read as the nearest that there is.
  'badFilemode',
  'zeroPaddedFilemode',
  // git leaves alone what it can't parse, and follows none of these links.
  'gitmodulesParse',
  'gitignoreSymlink',
  'gitattributesSymlink',
  'mailmapSymlink',
] as const;

/** For `git index-pack`: fsck of each object, and every object that another names must be there. */
export const STRICT_ARGUMENT = `--strict=${KEPT.map((id) => `${id}=warn`).join(',')}`;

const MAX_FINDINGS = 100;

/** What fsck says, line by line. */
export function collectFindings(): {
  readonly onLine: (line: string) => void;
  readonly findings: readonly FsckFinding[];
  total(): number;
  /** Why the pack was refused: the first error. */
  refusal(): string | undefined;
} {
  const findings: FsckFinding[] = [];
  let total = 0;
  let refusal: string | undefined;
  return {
    onLine(line) {
      const [, severity, objectId, messageId] = /^(warning|error): object ([0-9a-f]{40}|[0-9a-f]{64}): ([A-Za-z0-9]{1,60}): /.exec(line) ?? [];
      if (severity === undefined || objectId === undefined || messageId === undefined) return;
      if (severity === 'error') {
        refusal ??= line.replace(/^error: /, '');
        return;
      }
      total += 1;
      if (findings.length < MAX_FINDINGS) findings.push({ objectId, messageId });
    },
    findings,
    total: () => total,
    refusal: () => refusal,
  };
}
