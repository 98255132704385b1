import type { Attempt } from '@granary/contract/ecosystem';
import type { Comparison, Difference } from '@granary/core/compare';
import { type Choice, Recipe } from './recipe.ts';
import type { SdistEvidence } from './sdist-evidence.ts';
import type { Variants } from './variants.ts';

type Axis = keyof Choice;

const FIRST: Choice = { toolchain: 0, frontEnd: 0, backendPath: 0, extensions: 0, sortedRequires: 0, hashSeed: 0, emptyFolders: 0 };

/**
 * What to try next: the first choice of all, then the best attempt so far with one thing changed, the most
 * promising first. Undefined when nothing is left that could make a difference.
 */
export function nextChoice(variants: Variants, sdist: SdistEvidence, history: readonly Attempt[]): Choice | undefined {
  const tried = new Set(history.map((attempt) => keyOf(choiceOf(attempt))));
  const best = bestOf(history);
  const base = best?.choice ?? FIRST;
  const axes = best === undefined ? axesAfterFailure(history) : axesFor(best.comparison.residue.filter((difference) => !isBeyondSource(difference, sdist)));
  return [base, ...axes.flatMap((axis) => along(axis, base, variants))].find((choice) => !tried.has(keyOf(choice)));
}

export function choiceOf({ proposal }: Attempt): Choice {
  return Recipe.parse(proposal.settings).choice;
}

export interface Best {
  readonly choice: Choice;
  readonly comparison: Comparison;
}
/** The earliest of those with the smallest residue; one that holds a rung before all. */
export function bestOf(history: readonly Attempt[]): Best | undefined {
  const compared = history.flatMap((attempt) =>
    attempt.outcome.type === 'compared' ? [{ choice: choiceOf(attempt), comparison: attempt.outcome.comparison }] : [],
  );
  return compared.toSorted((a, b) => remaining(a.comparison) - remaining(b.comparison))[0];
}

function remaining({ rung, residue, residueOmitted }: Comparison): number {
  return rung === 'none' ? residue.length + residueOmitted : -1;
}

function along(axis: Axis, base: Choice, variants: Variants): readonly Choice[] {
  return Array.from({ length: variants[axis].length }, (_, index) => ({ ...base, [axis]: index }));
}

function keyOf(choice: Choice): string {
  return JSON.stringify(choice, ['toolchain', 'frontEnd', 'backendPath', 'extensions', 'sortedRequires', 'hashSeed', 'emptyFolders']);
}

/** A compiler that isn't there is needed by extension modules, which the published wheel has none of. */
function axesAfterFailure(history: readonly Attempt[]): readonly Axis[] {
  const compiles = history.some(({ outcome }) => outcome.type === 'failed' && outcome.failureClass === 'toolchain-missing');
  return compiles ? ['extensions', 'frontEnd', 'toolchain', 'backendPath'] : ['frontEnd', 'toolchain', 'extensions', 'backendPath'];
}

/** Which changes can bear on what differs. */
function axesFor(residue: readonly Difference[]): readonly Axis[] {
  if (residue.length === 0) return [];
  if (residue.some(({ path }) => /\.(so|pyd)$/.test(path))) return ['extensions'];
  if (residue.some(({ path }) => /\.dist-info\/WHEEL$/.test(path))) return ['frontEnd', 'extensions', 'toolchain', 'backendPath'];
  if (residue.some(({ path }) => /\.dist-info\/top_level\.txt$/.test(path)))
    return ['emptyFolders', ...axesFor(residue.filter(({ path }) => !path.endsWith('/top_level.txt')))];
  const distInfo = residue.filter(({ path }) => /\.dist-info\/(?!RECORD$|top_level\.txt$)/.test(path));
  if (distInfo.some(isReordered)) return ['sortedRequires', 'hashSeed', 'toolchain', 'frontEnd', 'backendPath'];
  if (distInfo.length > 0) return ['toolchain', 'frontEnd', 'backendPath'];
  // Tools decide which files are taken along, but not what stands in the project's own.
  const filesDiffer = residue.some(({ kind }) => kind === 'only-upstream' || kind === 'only-rebuild');
  return filesDiffer ? ['frontEnd', 'backendPath', 'toolchain'] : ['frontEnd', 'backendPath'];
}

/** What backends write of themselves, as against licence files, which they take from the source. */
const WRITTEN = /\.dist-info\/(?!(?:licenses\/)?(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS))|\.pth$/i;

/** A file that upstream took from elsewhere: no way to build brings it about. */
function isBeyondSource({ kind, path }: Difference, { files }: SdistEvidence): boolean {
  if (kind !== 'only-upstream' || WRITTEN.test(path)) return false;
  const name = path.slice(path.lastIndexOf('/') + 1);
  return !files.some((file) => file.path === name || file.path.endsWith(`/${name}`));
}

/** The same characters in another order: a set was written in the order of its hashes. */
function isReordered({ diff }: Difference): boolean {
  if (diff === undefined) return false;
  const lines = diff.split('\n').filter((line) => !/^(---|\+\+\+) /.test(line));
  const characters = (sign: string) =>
    [
      ...lines
        .filter((line) => line.startsWith(sign))
        .map((line) => line.slice(1))
        .join(''),
    ]
      .toSorted()
      .join('');
  return characters('-') !== '' && characters('-') === characters('+');
}
