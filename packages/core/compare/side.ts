import { type Archive, type ArchiveEntry, duplicatePaths, leavesRoot } from '../archive/index.ts';
import type { Normalizer, Observation } from '../normalize/index.ts';

/** Something about one archive that matters to its reader. */
export interface SideFinding {
  readonly code: Observation['code'] | 'duplicate-entry' | 'setuid-entry' | 'device-entry' | 'unsafe-path';
  readonly path?: string;
  readonly detail: string;
}

/** One archive as it was read, what was seen in it, and the rules that may touch it. */
export interface Side {
  readonly original: Archive;
  readonly findings: readonly SideFinding[];
  readonly normalizers: readonly Normalizer[];
  /** Integrity metadata that is wrong: this side can be equivalent to nothing. */
  readonly isWrong: boolean;
}

/** Looks at an untouched archive: what it hides is recorded before any rule could mask it. */
export function inspectSide(original: Archive, normalizers: readonly Normalizer[]): Side {
  const observed = normalizers.map((normalizer) => ({ normalizer, observations: normalizer.inspect(original) }));
  const isWrongFor = ({ observations }: { readonly observations: readonly Observation[] }): boolean =>
    observations.some(({ code }) => code === 'integrity-metadata-wrong');
  return {
    original,
    findings: [...structuralFindings(original), ...observed.flatMap(({ observations }) => observations)].map(shortened),
    normalizers: observed.filter((rule) => !isWrongFor(rule)).map(({ normalizer }) => normalizer),
    isWrong: observed.some(isWrongFor),
  };
}

/** Text of a finding comes from untrusted files. */
const MAX_DETAIL_CHARS = 500;

function shortened(finding: SideFinding): SideFinding {
  if (finding.detail.length <= MAX_DETAIL_CHARS) return finding;
  return { ...finding, detail: `${finding.detail.slice(0, MAX_DETAIL_CHARS).toWellFormed()}…` };
}

/** Applies the rules in their order; those in `leftOut` are passed over. */
export function normalizeSide({ original, normalizers }: Side, leftOut: ReadonlySet<Normalizer> = new Set()): Archive {
  return normalizers.reduce((archive, normalizer) => (leftOut.has(normalizer) ? archive : normalizer.apply(archive)), original);
}

function structuralFindings(archive: Archive): readonly SideFinding[] {
  return [
    ...duplicatePaths(archive).map(
      (path): SideFinding => ({ code: 'duplicate-entry', path, detail: 'this path stands more than once; which one is unpacked depends on the reader' }),
    ),
    ...archive.entries.flatMap(entryFindings),
  ];
}

function entryFindings(entry: ArchiveEntry): readonly SideFinding[] {
  const { path } = entry;
  const findings: SideFinding[] = [];
  if ((entry.mode & 0o6000) !== 0 && entry.type !== 'directory')
    findings.push({ code: 'setuid-entry', path, detail: `mode ${entry.mode.toString(8).padStart(4, '0')} takes on the rights of its owner or group` });
  if (entry.type === 'device' || entry.type === 'fifo') findings.push({ code: 'device-entry', path, detail: `a ${entry.type}, not a file` });
  if (leavesRoot(entry)) findings.push({ code: 'unsafe-path', path, detail: `its target ${JSON.stringify(entry.target)} lies outside the archive` });
  return findings;
}

/** Findings that keep every rung but `identical` from holding. */
export function isRefused(finding: SideFinding): boolean {
  switch (finding.code) {
    case 'setuid-entry':
    case 'device-entry':
    case 'duplicate-entry':
      return true;
    case 'unsafe-path':
    case 'integrity-metadata-wrong':
    case 'crlf':
      return false;
  }
}
