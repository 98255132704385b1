import type { Attempt, BuildProposal, Parameter, Proposed, RebuildSubject } from '@granary/contract/ecosystem';
import type { Instant } from '@granary/core/model';
import { toInstant } from '@granary/core/model';
import { compressionOf, compressorsOf } from './compressors.ts';
import { formatLocked } from './locked-requirement.ts';
import { type Made, nextRecipe, type Ways } from './next-recipe.ts';
import { type Project, readProject } from './project.ts';
import { Recipe } from './recipe.ts';
import { recipesOf } from './recipes.ts';
import { readSourceTree } from './source-tree.ts';
import { parseTool } from './tool-requirement.ts';
import { readRuntime, requirementsOfDay, type ToolchainOfDay, toolchainOfDay } from './toolchain-of-day.ts';

/** More than any build brings whose time limit would be enough. */
const MAX_RELEASES = 3000;
/** Where nothing is installed, no moment matters. */
const BEGINNING = toInstant(0);
const NOTHING_MORE: Proposed = { type: 'exhausted' };

/**
 * The next way to make the package of a commit, after its files were compared with the published ones. Ends when something reproduces it byte by byte, or nothing is left that could add to
 * it.
 */
export async function propose(subject: RebuildSubject, history: readonly Attempt[]): Promise<Proposed> {
  const { source, target, sourceBytes } = subject;
  const looked = history.find(({ proposal }) => proposal.method === 'source-files')?.outcome;
  if (source.kind !== 'commit' || looked?.type !== 'compared') return NOTHING_MORE;
  const made = history
    .filter(({ proposal }) => proposal.method !== 'source-files')
    .map((attempt) => ({ ...attempt, recipe: Recipe.parse(attempt.proposal.settings) }));
  const tree = readSourceTree(sourceBytes);
  if (tree === undefined) return { type: 'exhausted', failureClass: 'no-source', detail: `${source.fileName}: its tree can't be read` };
  const project = readProject(tree, target, source.directory ?? '');
  const day = toolchainOfDay(subject, tree, [...new Set([project.directory, project.lock?.project ?? '', ''])]);
  const recipe = nextRecipe(waysOf(subject, recipesOf(project, looked.comparison), day), made);
  return recipe === undefined ? endOf(made) : proposalOf(subject, project, { recipe, day });
}

function waysOf(subject: RebuildSubject, recipes: readonly Recipe[], day: ToolchainOfDay | undefined): Ways {
  const compression = compressionOf(subject.published);
  const tools = day === undefined ? undefined : requirementsOfDay(day);
  const compressors = compression === undefined ? [] : compressorsOf(compression, day);
  const ways = { recipes, preferred: undefined, day: tools, compression, compressors };
  return { ...ways, preferred: preferredOf(subject.precedent, ways) };
}

/** The way that reproduced another release, by tools of the same kind; folders, versions and days are this one's own. */
function preferredOf(precedent: BuildProposal | undefined, { recipes, day, compression, compressors }: Ways): Recipe | undefined {
  const settings = Recipe.safeParse(precedent?.settings).data;
  if (settings === undefined) return undefined;
  const way = ({ manager, projectScripts, scripts, packScripts, packer }: Recipe): string =>
    JSON.stringify([manager, projectScripts, scripts, packScripts, packer]);
  const recipe = recipes.find((known) => way(known) === way(settings));
  const compressor = compressors.find((known) => known.compressor === settings.compressor);
  if (recipe === undefined) return undefined;
  return { ...recipe, ...(settings.node === '' ? {} : day), ...(compressor === undefined ? {} : { ...compressor, ...compression }) };
}

/** What went wrong with the best way says why, and not what went wrong without anything installed. */
function endOf(made: readonly Made[]): Proposed {
  const first = made[0]?.outcome;
  return first?.type === 'failed' ? { type: 'exhausted', failureClass: first.failureClass } : NOTHING_MORE;
}

interface Chosen {
  readonly recipe: Recipe;
  readonly day: ToolchainOfDay | undefined;
}

function proposalOf(subject: RebuildSubject, project: Project, chosen: Chosen): Proposed {
  const { recipe } = chosen;
  const { publishedAt } = subject.target;
  const requirements = [...toolsOf(recipe), ...requirementsOf(project, recipe)];
  if (requirements.length > MAX_RELEASES)
    return {
      type: 'exhausted',
      failureClass: 'dependency-unavailable',
      detail: `the lock of ${recipe.project || 'the root'} names ${requirements.length} releases, at most ${MAX_RELEASES} are taken`,
    };
  const proposal: BuildProposal = {
    ...(toolsOf(recipe).length === 0 ? {} : { retry: true }),
    requirements,
    // A second after publication: what came out at the same moment is listed with it.
    before: publishedAt === undefined || requirements.length === 0 ? BEGINNING : secondAfter(publishedAt),
    settings: recipe,
    parameters: parametersOf(subject, project, chosen),
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

function toolsOf({ node, npm, zlib }: Recipe): readonly string[] {
  return [...new Set([node, npm, zlib].filter((tool) => tool !== ''))];
}

function parametersOf({ runtimeVersion, target }: RebuildSubject, { lock }: Project, { recipe, day }: Chosen): readonly Parameter[] {
  const { tool, version, node, compressor, zlib, level, system } = recipe;
  const root = readRuntime(runtimeVersion);
  const at = tool.lastIndexOf('@');
  const runtime =
    day === undefined || node === ''
      ? [
          { name: 'node', value: root.node, from: ROOT },
          { name: 'npm', value: root.npm, from: ROOT },
        ]
      : [
          { name: 'node', value: day.node.range, from: day.node.from },
          { name: 'npm', value: day.npm.range, from: day.npm.from },
        ];
  const zlibOf = compressor === 'plain' ? 'the plain one, as other machines than x86-64 have it' : 'the Node of the day';
  return [
    ...runtime,
    ...(tool === '' ? [] : [{ name: tool.slice(0, at), value: tool.slice(at + 1), from: lock?.toolFrom ?? '' }]),
    ...(version === '' ? [] : [{ name: 'version', value: version, from: `the release, ${target.fileName}` }]),
    ...(zlib === ''
      ? []
      : [
          { name: 'zlib', value: `node ${parseTool(zlib)?.range ?? ''}`, from: zlibOf },
          { name: 'gzip', value: `level ${level}, operating system ${system}`, from: `the gzip header of ${target.fileName}` },
        ]),
  ];
}
const ROOT = 'the root filesystem';

function notesOf({ lock, ranges }: Project, recipe: Recipe): readonly string[] {
  const { manager, project, directory, scripts, projectScripts, packScripts, packer, zlib } = recipe;
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
    ...(zlib === '' ? [] : ['compressed anew']),
  ];
}
