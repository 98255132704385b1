import type { Attempt, BuildProposal, Parameter, Proposed, RebuildSubject } from '@granary/contract/ecosystem';
import type { Instant } from '@granary/core/model';
import { toInstant } from '@granary/core/model';
import { INSTALLED } from './build-script.ts';
import { formatLocked } from './locked-requirement.ts';
import { type Project, readProject } from './project.ts';
import { Recipe } from './recipe.ts';
import { recipesOf } from './recipes.ts';
import { readSourceTree } from './source-tree.ts';

/** More than any build brings whose time limit would be enough. */
const MAX_RELEASES = 3000;
/** Where nothing is installed, no moment matters. */
const BEGINNING = toInstant(0);
const NOTHING_MORE: Proposed = { type: 'exhausted' };

/** The next way to make the package of a commit, after its files were compared with the published ones. Ends when something reproduces, or nothing is left that could add to it. */
export async function propose(subject: RebuildSubject, history: readonly Attempt[]): Promise<Proposed> {
  const { source, target, sourceBytes } = subject;
  const looked = history.find(({ proposal }) => proposal.method === 'source-files')?.outcome;
  if (source.kind !== 'commit' || looked?.type !== 'compared') return NOTHING_MORE;
  const made = history
    .filter(({ proposal }) => proposal.method !== 'source-files')
    .map((attempt) => ({ ...attempt, recipe: Recipe.parse(attempt.proposal.settings) }));
  if (made.some(({ outcome }) => outcome.type === 'compared' && outcome.comparison.rung !== 'none')) return NOTHING_MORE;
  const tree = readSourceTree(sourceBytes);
  if (tree === undefined) return { type: 'exhausted', failureClass: 'no-source', detail: `${source.fileName}: its tree can't be read` };
  const project = readProject(tree, target, source.directory ?? '');
  const recipe = nextRecipe(inOrderOf(subject.precedent, recipesOf(project, looked.comparison)), made);
  return recipe === undefined ? endOf(made) : proposalOf(subject, project, recipe);
}

/** First the way that reproduced another release; folders and versions are this one's own. */
function inOrderOf(precedent: BuildProposal | undefined, recipes: readonly Recipe[]): readonly Recipe[] {
  const settings = Recipe.safeParse(precedent?.settings).data;
  if (settings === undefined) return recipes;
  const way = ({ manager, projectScripts, scripts, packScripts, packer }: Recipe): string =>
    JSON.stringify([manager, projectScripts, scripts, packScripts, packer]);
  const isSame = (recipe: Recipe): boolean => way(recipe) === way(settings);
  return [...recipes.filter(isSame), ...recipes.filter((recipe) => !isSame(recipe))];
}

/** What went wrong with the best way says why, and not what went wrong without anything installed. */
function endOf(made: readonly Made[]): Proposed {
  const first = made[0]?.outcome;
  return first?.type === 'failed' ? { type: 'exhausted', failureClass: first.failureClass } : NOTHING_MORE;
}

type Made = Attempt & { readonly recipe: Recipe };

/** What can't be installed for one way can't be for another; where it can, ways without it add nothing. */
function nextRecipe(recipes: readonly Recipe[], made: readonly Made[]): Recipe | undefined {
  const tried = new Set(made.map(({ recipe }) => JSON.stringify(recipe)));
  const installing = made.filter(({ recipe }) => recipe.manager !== 'none');
  const isImpossible = installing.some(({ outcome }) => isInstallFailure(outcome));
  return recipes.find((recipe) => !tried.has(JSON.stringify(recipe)) && (recipe.manager === 'none' ? installing.length === 0 || isImpossible : !isImpossible));
}

function isInstallFailure(outcome: Attempt['outcome']): boolean {
  return outcome.type === 'unresolvable' || (outcome.type === 'failed' && !outcome.log.includes(INSTALLED));
}

function proposalOf(subject: RebuildSubject, project: Project, recipe: Recipe): Proposed {
  const { publishedAt } = subject.target;
  const requirements = requirementsOf(project, recipe);
  if (requirements.length > MAX_RELEASES)
    return {
      type: 'exhausted',
      failureClass: 'dependency-unavailable',
      detail: `the lock of ${recipe.project || 'the root'} names ${requirements.length} releases, at most ${MAX_RELEASES} are taken`,
    };
  const proposal: BuildProposal = {
    requirements,
    // A second after publication: what came out at the same moment is listed with it.
    before: publishedAt === undefined || requirements.length === 0 ? BEGINNING : secondAfter(publishedAt),
    settings: recipe,
    parameters: parametersOf(subject, project, recipe),
    assists: [],
    notes: notesOf(project, recipe),
  };
  return { type: 'build', proposal };
}

function secondAfter(instant: Instant): Instant {
  return toInstant(Date.parse(instant) + 1000);
}

function requirementsOf({ lock, ranges }: Project, { manager, tool }: Recipe): readonly string[] {
  switch (manager) {
    case 'none':
      return [];
    case 'npm-install':
      return ranges;
    case 'npm':
    case 'pnpm':
    case 'yarn':
    case 'yarn-1': {
      // yarn 1 fetches what it doesn't install, too.
      const platform = manager === 'yarn-1' ? 'any' : 'if-it-runs';
      return [...(tool === '' ? [] : [tool]), ...(lock?.pins ?? []).map((pin) => formatLocked(pin, platform))];
    }
  }
}

function parametersOf({ runtimeVersion, target }: RebuildSubject, { lock }: Project, { tool, version }: Recipe): readonly Parameter[] {
  const [, node = runtimeVersion, npm = ''] = /^([^+]+)\+npm\.(.+)$/.exec(runtimeVersion) ?? [];
  const at = tool.lastIndexOf('@');
  return [
    { name: 'node', value: node, from: 'the root filesystem' },
    { name: 'npm', value: npm, from: 'the root filesystem' },
    ...(tool === '' ? [] : [{ name: tool.slice(0, at), value: tool.slice(at + 1), from: lock?.toolFrom ?? '' }]),
    ...(version === '' ? [] : [{ name: 'version', value: version, from: `the release, ${target.fileName}` }]),
  ];
}

function notesOf({ lock, ranges }: Project, recipe: Recipe): readonly string[] {
  const { manager, project, directory, scripts, projectScripts, packScripts, packer } = recipe;
  const lockName = lock === undefined ? '' : `${project === '' ? '' : `${project}/`}${lock.fileName}`;
  const installed =
    manager === 'none'
      ? []
      : [manager === 'npm-install' ? `installed what ${ranges.length} ranges of package.json came to when it was published` : `installed ${lockName}`];
  const ran = [...projectScripts.map((name) => `${name} in ${project || 'the root'}`), ...scripts];
  return [
    ...installed,
    ...(manager === 'none' ? [] : (lock?.notCovered ?? []).slice(0, 20).map((what) => `in no registry: ${what}`)),
    ...(ran.length === 0 ? [] : [`ran ${ran.join(', ')}`]),
    `${packer} pack${packScripts ? '' : ' without scripts'} in ${directory || 'the root'}`,
  ];
}
