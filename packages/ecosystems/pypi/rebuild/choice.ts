import type { Attempt, BuildProposal } from '@granary/contract/ecosystem';
import type { Comparison } from '@granary/core/compare';
import { type Axis, axesAfterFailure, axesFor } from './axes.ts';
import { type Choice, type Produced, Recipe } from './recipe.ts';
import type { SourceTree } from './source-tree.ts';
import type { Variants } from './variants.ts';

const FIRST: Choice = { toolchain: 0, frontEnd: 0, backendPath: 0, extensions: 0, sortedRequires: 0, hashSeed: 0, emptyFolders: 0, through: 0 };

export interface Choosing {
  readonly produce: Produced;
  readonly variants: Variants;
  readonly tree: SourceTree;
}

/** What reproduced another release, as far as this one has it: of the tools each release tells its own. */
export function choiceAfter(precedent: BuildProposal | undefined, variants: Variants): Choice {
  const settings = Recipe.safeParse(precedent?.settings).data;
  if (settings === undefined) return FIRST;
  const ownOf = (axis: Axis): number => (settings.choice[axis] < variants[axis].length ? settings.choice[axis] : 0);
  return {
    toolchain: 0,
    frontEnd: ownOf('frontEnd'),
    backendPath: ownOf('backendPath'),
    extensions: ownOf('extensions'),
    sortedRequires: ownOf('sortedRequires'),
    hashSeed: ownOf('hashSeed'),
    emptyFolders: ownOf('emptyFolders'),
    through: ownOf('through'),
  };
}

/**
 * What to try next: the first choice of all, then the best attempt so far with one thing changed, the most
 * promising first. Undefined when nothing is left that could make a difference.
 */
export function nextChoice({ produce, variants, tree }: Choosing, history: readonly Attempt[], first = FIRST): Choice | undefined {
  const tried = new Set(history.map((attempt) => keyOf(choiceOf(attempt))));
  const best = bestOf(history);
  const base = best?.choice ?? first;
  const axes = best === undefined ? axesAfterFailure(history) : axesFor(produce, best.comparison.residue, tree);
  return [base, ...(best === undefined ? [FIRST] : []), ...axes.flatMap((axis) => along(axis, base, variants))].find((choice) => !tried.has(keyOf(choice)));
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
  return JSON.stringify(choice, ['toolchain', 'frontEnd', 'backendPath', 'extensions', 'sortedRequires', 'hashSeed', 'emptyFolders', 'through']);
}
