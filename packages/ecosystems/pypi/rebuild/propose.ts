import type { Attempt, BuildProposal, Parameter, Proposed, RebuildSubject } from '@granary/contract/ecosystem';
import { requirementName } from './backends.ts';
import { bestOf, choiceAfter, choiceOf, nextChoice } from './choice.ts';
import type { Choice, Recipe } from './recipe.ts';
import { readSituation, type Situation } from './situation.ts';
import type { FrontEnd, Toolchain } from './variants.ts';

/** CPython 3.11: tools published before know nothing of what it dropped. */
const PYTHON_RELEASED = '2022-10-24';

/**
 * The next build to try. The first is what the artifact and the source tell; after a difference one choice
 * of the best attempt is changed, tools first when `.dist-info` differs. Ends when something reproduces, or
 * no change of the best attempt is left.
 */
export async function propose(subject: RebuildSubject, attempts: readonly Attempt[]): Promise<Proposed> {
  const situation = await readSituation(subject);
  if ('type' in situation) return situation;
  const history = attempts.filter(({ proposal }) => proposal.method !== 'source-files');
  const asked = [...new Set(history.flatMap(({ outcome }) => (outcome.type === 'needs' ? outcome.requirements : [])))];
  const last = history.at(-1);
  if (last?.outcome.type === 'needs') return { type: 'build', proposal: proposalOf(situation, choiceOf(last), asked) };
  const best = bestOf(history);
  if (best !== undefined && best.comparison.rung !== 'none') return { type: 'exhausted' };
  const next = nextChoice(situation, history, choiceAfter(subject.precedent, situation.variants));
  return next === undefined ? { type: 'exhausted' } : { type: 'build', proposal: proposalOf(situation, next, asked) };
}

const SORTED: Parameter = {
  name: 'setuptools',
  value: 'sorts requirements, as Debian and its descendants patch it',
  from: 'order of Requires-Dist in METADATA',
};
const NO_EXTENSIONS: Parameter = { name: 'extension modules', value: 'none', from: 'tag in the file name' };

/** What was learnt from comparing. */
function afterwards({ extensions, sortedRequires, hashSeed }: Recipe): readonly Parameter[] {
  return [
    ...(extensions ? [] : [NO_EXTENSIONS]),
    ...(sortedRequires ? [SORTED] : []),
    ...(hashSeed === '0' ? [] : [{ name: 'PYTHONHASHSEED', value: hashSeed, from: 'order of lines in METADATA' }]),
  ];
}

function proposalOf(situation: Situation, choice: Choice, asked: readonly string[]): BuildProposal {
  const { variants, environment, tree, before, pretendVersion } = situation;
  const toolchain = variants.toolchain[choice.toolchain] ?? { requirements: [], parameters: [] };
  const frontEnd = variants.frontEnd[choice.frontEnd] ?? { kind: 'pep517', setupArguments: [], parameters: [] };
  const { umask, timeZone, epoch, clock, windows } = environment;
  const recipe: Recipe = {
    choice,
    root: tree.root,
    frontEnd: frontEnd.kind,
    backend: variants.hooks,
    backendPath: variants.backendPath[choice.backendPath] ?? [],
    setupArguments: frontEnd.setupArguments,
    umask,
    timeZone,
    hashSeed: variants.hashSeed[choice.hashSeed] ?? '0',
    epoch,
    clock,
    windows,
    extensions: variants.extensions[choice.extensions] ?? true,
    sortedRequires: variants.sortedRequires[choice.sortedRequires] ?? false,
    restoreNames: before < PYTHON_RELEASED,
    pretendVersion,
    emptyFolders: variants.emptyFolders[choice.emptyFolders] ?? [],
    through: variants.through[choice.through] ?? 'tree',
    asked,
  };
  return {
    requirements: requirementsOf(situation, toolchain, frontEnd, asked),
    before,
    settings: recipe,
    parameters: [...toolchain.parameters, ...frontEnd.parameters, ...environment.parameters, ...situation.parameters, ...afterwards(recipe)],
    assists: [],
    notes: notesOf(recipe, toolchain),
  };
}

/** Exact versions from the artifact replace what the source asks for; setup.py was run with whatever was installed. */
function requirementsOf({ variants: { declared }, tree }: Situation, toolchain: Toolchain, { kind }: FrontEnd, asked: readonly string[]): readonly string[] {
  const replaced = new Set(toolchain.requirements.filter((line) => kind === 'setup.py' || line.includes('==')).map(requirementName));
  const lines = declared ? (tree.buildSystem?.requires ?? []) : [];
  return [...new Set([...toolchain.requirements, ...lines.filter((line) => !replaced.has(requirementName(line))), ...asked])];
}

function notesOf(recipe: Recipe, toolchain: Toolchain): readonly string[] {
  const call = recipe.frontEnd === 'pep517' ? `PEP 517 hooks of ${recipe.backend}` : `setup.py ${recipe.setupArguments.join(' ')}`;
  return [
    call,
    ...toolchain.parameters.map(({ name, value, from }) => `${name} ${value}: ${from}`),
    ...(recipe.emptyFolders.length === 0 ? [] : [`empty folders that the source archive's top_level.txt names: ${recipe.emptyFolders.join(', ')}`]),
    ...(recipe.through === 'tree' ? [] : ['by way of the source archive that the same tools make']),
    ...(recipe.asked.length === 0 ? [] : [`asked for by the build: ${recipe.asked.join(', ')}`]),
  ];
}
