import type { Attempt, BuildProposal, Parameter, Proposed, RebuildSubject } from '@granary/contract/ecosystem';
import { ArchiveError } from '@granary/core/archive';
import { type Instant, purlParts, toInstant } from '@granary/core/model';
import { readBackend, requirementName } from './backends.ts';
import { bestOf, choiceOf, nextChoice } from './choice.ts';
import { type PublisherEnvironment, readEnvironment } from './environment.ts';
import type { Choice, Recipe } from './recipe.ts';
import { readSdistEvidence, type SdistEvidence } from './sdist-evidence.ts';
import { type FrontEnd, type Toolchain, type Variants, variantsOf } from './variants.ts';
import { readWheelEvidence, type WheelEvidence } from './wheel-evidence.ts';

/** What is known before the first attempt: the same for all of them. */
interface Situation {
  readonly variants: Variants;
  readonly environment: PublisherEnvironment;
  readonly sdist: SdistEvidence;
  readonly before: Instant;
  readonly pretendVersion: string;
}
const DAY_MS = 86_400_000;
/** CPython 3.11: tools published before know nothing of what it dropped. */
const PYTHON_RELEASED = '2022-10-24';

/**
 * The next build to try. The first is what the artifact and the source tell; after a difference one choice
 * of the best attempt is changed, tools first when `.dist-info` differs. Ends when something reproduces, or
 * no change of the best attempt is left.
 */
export async function propose(subject: RebuildSubject, history: readonly Attempt[]): Promise<Proposed> {
  const situation = await readSituation(subject);
  if ('type' in situation) return situation;
  const asked = [...new Set(history.flatMap(({ outcome }) => (outcome.type === 'needs' ? outcome.requirements : [])))];
  const last = history.at(-1);
  if (last?.outcome.type === 'needs') return { type: 'build', proposal: proposalOf(situation, choiceOf(last), asked) };
  const best = bestOf(history);
  if (best !== undefined && best.comparison.rung !== 'none') return { type: 'exhausted' };
  const next = nextChoice(situation.variants, situation.sdist, history);
  return next === undefined ? { type: 'exhausted' } : { type: 'build', proposal: proposalOf(situation, next, asked) };
}

async function readSituation(subject: RebuildSubject): Promise<Situation | Extract<Proposed, { type: 'exhausted' }>> {
  const evidence = await readEvidence(subject);
  if ('type' in evidence) return evidence;
  const { wheel, sdist } = evidence;
  const before = momentOf(subject, wheel);
  if (before === undefined)
    return { type: 'exhausted', failureClass: 'dependency-unavailable', detail: 'the index states no upload time: nothing tells which build tools there were' };
  const pin = readBackend(wheel.generator, sdist);
  if (typeof pin === 'string') return { type: 'exhausted', failureClass: pin, detail: `made by ${wheel.generator?.text ?? 'an unnamed tool'}` };
  const { version = '' } = purlParts(subject.target.purl);
  return {
    variants: variantsOf(pin, wheel, sdist, before),
    environment: readEnvironment(wheel, sdist),
    sdist,
    before,
    pretendVersion: sdist.version === undefined ? version : '',
  };
}

type Evidence = { readonly wheel: WheelEvidence; readonly sdist: SdistEvidence };
async function readEvidence({ target, published, source, sourceBytes }: RebuildSubject): Promise<Evidence | Extract<Proposed, { type: 'exhausted' }>> {
  try {
    const wheel = await readWheelEvidence(target.fileName, published);
    if (wheel === undefined)
      return { type: 'exhausted', failureClass: 'malformed-artifact', detail: `${target.fileName}: no .dist-info with WHEEL and METADATA` };
    const sdist = await readSdistEvidence(source.fileName, sourceBytes);
    if (sdist === undefined) return { type: 'exhausted', failureClass: 'no-source', detail: `${source.fileName}: not a format that is read` };
    return { wheel, sdist };
  } catch (error) {
    if (error instanceof ArchiveError) return { type: 'exhausted', failureClass: 'malformed-artifact', detail: error.message };
    throw error;
  }
}

/** A second after publication: uploads of one moment are listed with it. Without a time, when the build ran, by the zip. */
function momentOf({ target, sourcePublishedAt }: RebuildSubject, { stamps }: WheelEvidence): Instant | undefined {
  const published = target.publishedAt ?? sourcePublishedAt;
  const moment = published !== undefined ? Date.parse(published) + 1000 : stamps.latest === undefined ? undefined : stamps.latest * 1000 + DAY_MS;
  return moment === undefined ? undefined : toInstant(moment);
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

function proposalOf({ variants, environment, sdist, before, pretendVersion }: Situation, choice: Choice, asked: readonly string[]): BuildProposal {
  const toolchain = variants.toolchain[choice.toolchain] ?? { requirements: [], parameters: [] };
  const frontEnd = variants.frontEnd[choice.frontEnd] ?? { kind: 'pep517', setupArguments: [], parameters: [] };
  const { umask, timeZone, epoch, clock, windows } = environment;
  const recipe: Recipe = {
    choice,
    root: sdist.root,
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
    asked,
  };
  return {
    requirements: requirementsOf(variants, toolchain, frontEnd, { sdist, asked }),
    before,
    settings: recipe,
    parameters: [...toolchain.parameters, ...frontEnd.parameters, ...environment.parameters, ...afterwards(recipe)],
    assists: [],
    notes: notesOf(recipe, toolchain),
  };
}

/** Exact versions from the artifact replace what the source asks for; setup.py was run with whatever was installed. */
function requirementsOf(
  { declared }: Variants,
  toolchain: Toolchain,
  { kind }: FrontEnd,
  { sdist, asked }: { sdist: SdistEvidence; asked: readonly string[] },
): readonly string[] {
  const replaced = new Set(toolchain.requirements.filter((line) => kind === 'setup.py' || line.includes('==')).map(requirementName));
  const lines = declared ? (sdist.buildSystem?.requires ?? []) : [];
  return [...new Set([...toolchain.requirements, ...lines.filter((line) => !replaced.has(requirementName(line))), ...asked])];
}

function notesOf(recipe: Recipe, toolchain: Toolchain): readonly string[] {
  const call = recipe.frontEnd === 'pep517' ? `PEP 517 hooks of ${recipe.backend}` : `setup.py ${recipe.setupArguments.join(' ')}`;
  return [
    call,
    ...toolchain.parameters.map(({ name, value, from }) => `${name} ${value}: ${from}`),
    ...(recipe.emptyFolders.length === 0 ? [] : [`empty folders that the source archive's top_level.txt names: ${recipe.emptyFolders.join(', ')}`]),
    ...(recipe.asked.length === 0 ? [] : [`asked for by the build: ${recipe.asked.join(', ')}`]),
  ];
}
