import { type ArchiveEntry, isExecutable } from '../archive/index.ts';
import type { Cause, Sha256 } from '../model/index.ts';
import type { Difference } from './comparison.ts';
import { type ArchivePair, type PairedEntry, pairEntries } from './pairing.ts';
import type { ArtifactRules, DifferingFile } from './rules.ts';
import { isRefused, type Side, type SideFinding } from './side.ts';
import { asText, textDiff } from './text-diff.ts';

const MAX_DIFFERENCES = 500;
const MAX_DIFFS = 40;

export interface Residue {
  readonly residue: readonly Difference[];
  readonly residueOmitted: number;
}

/** What is left after normalization, path by path, each with its kind and cause; readable diffs for the first of them. */
export function residueOf(pair: ArchivePair, sides: { readonly upstream: Side; readonly rebuild: Side }, rules: ArtifactRules): Residue {
  const wrong = new Set(
    [...sides.upstream.findings, ...sides.rebuild.findings].filter(({ code }) => code === 'integrity-metadata-wrong').map(({ path }) => path ?? '.'),
  );
  const budget = { diffs: MAX_DIFFS };
  const paired = pairEntries(pair);
  const moved = movedFiles(paired);
  const found = paired.flatMap((entry) => differencesAt(entry, { rules, wrong, budget, moved }));
  const named = new Set(found.map(({ path }) => path));
  const all = [...found, ...refusals('upstream', sides.upstream, named), ...refusals('rebuild', sides.rebuild, named)].sort(byPath);
  return { residue: all.slice(0, MAX_DIFFERENCES), residueOmitted: Math.max(0, all.length - MAX_DIFFERENCES) };
}

interface Context {
  readonly rules: ArtifactRules;
  /** Paths of integrity metadata found wrong on either side. */
  readonly wrong: ReadonlySet<string>;
  readonly budget: { diffs: number };
  readonly moved: MovedFiles;
}

/** Paths of files that only one side has, by digest: what stands elsewhere on the other side is moved, not lost. */
interface MovedFiles {
  readonly upstream: ReadonlyMap<Sha256, string>;
  readonly rebuild: ReadonlyMap<Sha256, string>;
}

function movedFiles(paired: readonly PairedEntry[]): MovedFiles {
  const upstream = new Map<Sha256, string>();
  const rebuild = new Map<Sha256, string>();
  for (const entry of paired) {
    if (entry.in === 'upstream') upstream.set(entry.upstream.content.sha256(), entry.path);
    if (entry.in === 'rebuild') rebuild.set(entry.rebuild.content.sha256(), entry.path);
  }
  return { upstream, rebuild };
}

function differencesAt(paired: PairedEntry, context: Context): readonly Difference[] {
  const { path } = paired;
  switch (paired.in) {
    case 'upstream':
      return [{ path, kind: 'only-upstream', cause: 'extra-upstream-files', detail: described(paired.upstream, context.moved.rebuild) }];
    case 'rebuild':
      return [{ path, kind: 'only-rebuild', cause: 'missing-upstream-files', detail: described(paired.rebuild, context.moved.upstream) }];
    case 'both': {
      const { upstream, rebuild } = paired;
      if (upstream.type !== rebuild.type)
        return [{ path, kind: 'type', cause: 'content-unexplained', detail: `upstream has a ${upstream.type}, the rebuild a ${rebuild.type}` }];
      const differences: Difference[] = [];
      if (upstream.target !== rebuild.target)
        differences.push({
          path,
          kind: 'link',
          cause: 'content-unexplained',
          detail: `upstream points to ${JSON.stringify(upstream.target)}, the rebuild to ${JSON.stringify(rebuild.target)}`,
        });
      if (isExecutable(upstream) !== isExecutable(rebuild))
        differences.push({
          path,
          kind: 'mode',
          cause: 'archive-metadata',
          detail: isExecutable(upstream) ? 'executable upstream only' : 'executable in the rebuild only',
        });
      if (upstream.content.sha256() !== rebuild.content.sha256()) differences.push(contentDifference(path, { upstream, rebuild }, context));
      return differences;
    }
  }
}

function contentDifference(
  path: string,
  entries: { readonly upstream: ArchiveEntry; readonly rebuild: ArchiveEntry },
  { rules, wrong, budget }: Context,
): Difference {
  const file = { path, upstream: entries.upstream.content.read(), rebuild: entries.rebuild.content.read() };
  const cause = wrong.has(path) ? 'integrity-metadata-wrong' : (rules.causeOf(file) ?? contentCause(file));
  if (budget.diffs <= 0) return { path, kind: 'content', cause, detail: `${sizesOf(file)}; no diff of any file beyond the first ${MAX_DIFFS}` };
  budget.diffs -= 1;
  return { path, kind: 'content', cause, ...describeContent(file) };
}

/** How two versions of a file differ, for people. */
export function describeContent(file: DifferingFile): Pick<Difference, 'detail' | 'diff'> {
  const diff = textDiff(file.upstream, file.rebuild);
  return diff === undefined ? { detail: `binary, ${sizesOf(file)}, first different byte at ${firstDifference(file)}` } : { detail: sizesOf(file), diff };
}

function sizesOf({ upstream, rebuild }: DifferingFile): string {
  return `${upstream.length} bytes upstream, ${rebuild.length} in the rebuild`;
}

/** Why two versions of any file differ, where nobody knows what it is. */
export function contentCause({ upstream, rebuild }: DifferingFile): Cause {
  const [theirs, ours] = [asText(upstream), asText(rebuild)];
  if (theirs === undefined || ours === undefined) return 'content-unexplained';
  return withUnixLines(theirs) === withUnixLines(ours) ? 'line-endings' : 'content-unexplained';
}

function withUnixLines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

function firstDifference({ upstream, rebuild }: DifferingFile): number {
  const length = Math.min(upstream.length, rebuild.length);
  for (let at = 0; at < length; at += 1) if (upstream[at] !== rebuild[at]) return at;
  return length;
}

/** Differences for what keeps a rung from holding though the files may be equal. */
function refusals(side: 'upstream' | 'rebuild', { findings }: Side, named: ReadonlySet<string>): readonly Difference[] {
  return findings.flatMap((finding): Difference[] => {
    const path = finding.path ?? '.';
    if (!isRefused(finding) && (finding.code !== 'integrity-metadata-wrong' || named.has(path))) return [];
    return [
      {
        path,
        kind: refusalKind(finding),
        cause: finding.code === 'integrity-metadata-wrong' ? 'integrity-metadata-wrong' : 'content-unexplained',
        detail: `${side}: ${finding.detail}`,
      },
    ];
  });
}

function refusalKind({ code }: SideFinding): Difference['kind'] {
  switch (code) {
    case 'setuid-entry':
      return 'mode';
    case 'device-entry':
      return 'type';
    case 'integrity-metadata-wrong':
    case 'crlf':
      return 'content';
    case 'duplicate-entry':
    case 'unsafe-path':
      return 'metadata';
  }
}

function described(entry: ArchiveEntry, elsewhere: ReadonlyMap<Sha256, string>): string {
  if (entry.type !== 'file') return entry.type;
  const other = entry.content.sizeBytes === 0 ? undefined : elsewhere.get(entry.content.sha256());
  const size = `${isExecutable(entry) ? 'executable, ' : ''}${entry.content.sizeBytes} bytes`;
  return other === undefined ? size : `${size}; the same bytes stand at ${other} on the other side`;
}

function byPath(a: Difference, b: Difference): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
