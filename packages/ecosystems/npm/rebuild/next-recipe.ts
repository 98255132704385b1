import type { Attempt } from '@granary/contract/ecosystem';
import { RUNGS } from '@granary/core/model';
import { INSTALLED } from './build-script.ts';
import type { Compression } from './compressors.ts';
import { BY_ROOT, type Compressor, type Recipe } from './recipe.ts';

export type Made = Attempt & { readonly recipe: Recipe };

/** What may be tried, and with what. */
export interface Ways {
  /** By the root filesystem's tools, in the order in which they are worth trying. */
  readonly recipes: readonly Recipe[];
  /** What reproduced another release, with its tools: before all others. */
  readonly preferred: Recipe | undefined;
  /** The Node and npm of the day; undefined where nobody knows them, or they are the root filesystem's. */
  readonly day: Pick<Recipe, 'node' | 'npm'> | undefined;
  /** How the published tarball says that it was compressed; undefined where npm didn't. */
  readonly compression: Compression | undefined;
  readonly compressors: readonly Compressor[];
}

/** Of the ways that failed or left something by the root filesystem's tools, so many are tried by those of the day. */
const MOST_BY_DAY = 2;
/** Together with a toolchain of the day: no recipe is tried more than twice over. */
const MOST_LATER = 2;
/** What Node on Linux calls its system, and what npm writes there so that it is the same everywhere (RFC 1952, OS). */
const NAMED_HERE: ReadonlySet<number> = new Set([3, 255]);
/** Failures that other tools may mend. */
const OF_TOOLS: ReadonlySet<string> = new Set(['build-failed', 'toolchain-missing', 'dependency-conflict', 'output-missing']);

/** The next recipe: until one holds, those by the root filesystem's tools, then a few by those of the day; once one does, what may bring it up to the very bytes. */
export function nextRecipe(ways: Ways, made: readonly Made[]): Recipe | undefined {
  const best = bestOf(made);
  if (best !== undefined) return better(ways, best, made);
  const { recipes, preferred, day } = ways;
  const first = preferred === undefined ? recipes : [preferred, ...recipes];
  return nextBuild(first, made) ?? (day === undefined ? undefined : nextBuild(worthOtherTools(made), made, day));
}

/** The attempt that reached the highest rung; the first of several. */
function bestOf(made: readonly Made[]): Made | undefined {
  const rank = ({ outcome }: Made): number =>
    outcome.type === 'compared' && outcome.comparison.rung !== 'none' ? RUNGS.indexOf(outcome.comparison.rung) : RUNGS.length;
  const [best] = made.toSorted((a, b) => rank(a) - rank(b));
  return best === undefined || rank(best) === RUNGS.length ? undefined : best;
}

/** Where only the compressor differs, another one; where packing wrote the archive otherwise, the npm of the day. */
function better({ day, compression, compressors }: Ways, { recipe, outcome }: Made, made: readonly Made[]): Recipe | undefined {
  const packed = { ...recipe, compressor: BY_ROOT.compressor, zlib: BY_ROOT.zlib, level: BY_ROOT.level, system: BY_ROOT.system };
  if (outcome.type !== 'compared' || outcome.comparison.rung === 'identical') return undefined;
  if (outcome.comparison.rung !== 'identical-content') return day === undefined || recipe.node !== '' ? undefined : untried([{ ...packed, ...day }], made);
  if (compression === undefined) return undefined;
  // Node of the day has compressed it already: its zlib is the right one where another machine is named, and another's where this one is.
  const others = recipe.node === '' ? compressors : compressors.filter(({ zlib }) => NAMED_HERE.has(compression.system) !== (zlib === recipe.node));
  const compressed = others.slice(0, recipe.node === '' ? MOST_LATER : MOST_LATER - 1).map((compressor) => ({ ...packed, ...compressor, ...compression }));
  // First as its packer left it, where what reproduced another release was tried before that.
  return untried([packed, ...compressed], made);
}

function untried(recipes: readonly Recipe[], made: readonly Made[]): Recipe | undefined {
  const tried = new Set(made.map(({ recipe }) => JSON.stringify(recipe)));
  return recipes.find((recipe) => !tried.has(JSON.stringify(recipe)));
}

/** What came nearest first, then what failed for a reason that other tools may mend. */
function worthOtherTools(made: readonly Made[]): readonly Recipe[] {
  const byRoot = made.filter(({ recipe }) => recipe.node === '');
  const compared = byRoot.flatMap(({ recipe, outcome }) =>
    outcome.type === 'compared' ? [{ recipe, left: outcome.comparison.residue.length + outcome.comparison.residueOmitted }] : [],
  );
  const failed = byRoot.flatMap(({ recipe, outcome }) => (outcome.type === 'failed' && mayMend(recipe, outcome.failureClass) ? [recipe] : []));
  return [...compared.toSorted((a, b) => a.left - b.left).map(({ recipe }) => recipe), ...failed].slice(0, MOST_BY_DAY);
}

/** With nothing installed, a command that isn't there is one that nobody installed. */
function mayMend({ manager }: Recipe, failureClass: string): boolean {
  return OF_TOOLS.has(failureClass) && (manager !== 'none' || failureClass !== 'toolchain-missing');
}

/** What can't be installed for one way can't be for another by the same tools; where it can, ways without it add nothing. */
function nextBuild(recipes: readonly Recipe[], made: readonly Made[], tools: Pick<Recipe, 'node' | 'npm'> | undefined = undefined): Recipe | undefined {
  const wanted = tools === undefined ? recipes : recipes.map((recipe) => ({ ...recipe, ...tools }));
  return wanted.find((recipe) => {
    if (untried([recipe], made) === undefined) return false;
    const installing = made.filter((attempt) => attempt.recipe.manager !== 'none' && attempt.recipe.node === recipe.node);
    const isImpossible = installing.some(({ outcome }) => isInstallFailure(outcome));
    if (tools !== undefined) return recipe.manager === 'none' || !isImpossible;
    return recipe.manager === 'none' ? installing.length === 0 || isImpossible : !isImpossible;
  });
}

function isInstallFailure(outcome: Attempt['outcome']): boolean {
  return outcome.type === 'unresolvable' || (outcome.type === 'failed' && !outcome.log.includes(INSTALLED));
}
