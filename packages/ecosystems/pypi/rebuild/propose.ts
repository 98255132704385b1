import type { Attempt, BuildProposal, Proposed, RebuildSubject } from '@granary/contract/ecosystem';
import { ArchiveError } from '@granary/core/archive';
import { type Instant, purlParts, toInstant } from '@granary/core/model';
import { readBackend, requirementName } from './backends.ts';
import { type PublisherEnvironment, readEnvironment } from './environment.ts';
import { Recipe } from './recipe.ts';
import { readSdistEvidence, type SdistEvidence } from './sdist-evidence.ts';
import { OLDEST_USABLE } from './setuptools-eras.ts';
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
/** A choice from each list of {@link Variants}, by index. */
type Choice = readonly [toolchain: number, frontEnd: number, backendPath: number];
const FIRST: Choice = [0, 0, 0];
const DAY_MS = 86_400_000;

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
  const tried = new Set(history.map((attempt) => String(choiceOf(attempt))));
  const next = [best?.choice ?? FIRST, ...changesOf(best?.choice, situation.variants, best)].find((choice) => !tried.has(String(choice)));
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

/** A second after publication: uploads of one moment are listed with it. Without a time, when the build ran, by the zip. Never before there were tools that run here. */
function momentOf({ target, source }: RebuildSubject, { stamps }: WheelEvidence): Instant | undefined {
  const published = target.publishedAt ?? source.publishedAt;
  const moment = published !== undefined ? Date.parse(published) + 1000 : stamps.latest === undefined ? undefined : stamps.latest * 1000 + DAY_MS;
  return moment === undefined ? undefined : toInstant(Math.max(moment, Date.parse(OLDEST_USABLE)));
}

interface Best {
  readonly choice: Choice;
  readonly comparison: Extract<Attempt['outcome'], { type: 'compared' }>['comparison'];
}
/** The earliest of those with the smallest residue; anything that holds a rung before all. */
function bestOf(history: readonly Attempt[]): Best | undefined {
  const compared = history.flatMap((attempt) =>
    attempt.outcome.type === 'compared' ? [{ choice: choiceOf(attempt), comparison: attempt.outcome.comparison }] : [],
  );
  const size = ({ comparison }: Best) => (comparison.rung === 'none' ? comparison.residue.length + comparison.residueOmitted : -1);
  return compared.toSorted((a, b) => size(a) - size(b))[0];
}

/** Choices that differ from a base in one place, the most promising first; from no base, all there are. */
function changesOf(base: Choice | undefined, variants: Variants, best: Best | undefined): readonly Choice[] {
  const [toolchain, frontEnd, backendPath] = base ?? FIRST;
  const tools = variants.toolchains.map((_, index): Choice => [index, frontEnd, backendPath]);
  const calls = variants.frontEnds.map((_, index): Choice => [toolchain, index, backendPath]);
  const paths = variants.backendPaths.map((_, index): Choice => [toolchain, frontEnd, index]);
  if (best === undefined) return [...calls, ...paths, ...tools];
  const { residue } = best.comparison;
  if (residue.some(({ path }) => /\.dist-info\/(?!RECORD$)/.test(path))) return [...tools, ...calls, ...paths];
  // Tools decide which files are taken along, but not what stands in the project's own.
  const filesDiffer = residue.some(({ kind }) => kind === 'only-upstream' || kind === 'only-rebuild');
  return filesDiffer ? [...calls, ...paths, ...tools] : [...calls, ...paths];
}

function choiceOf({ proposal }: Attempt): Choice {
  const [toolchain = 0, frontEnd = 0, backendPath = 0] = Recipe.parse(proposal.settings).variant;
  return [toolchain, frontEnd, backendPath];
}

function proposalOf({ variants, environment, sdist, before, pretendVersion }: Situation, choice: Choice, asked: readonly string[]): BuildProposal {
  const toolchain = variants.toolchains[choice[0]] ?? { requirements: [], parameters: [] };
  const frontEnd = variants.frontEnds[choice[1]] ?? { kind: 'pep517', setupArguments: [], parameters: [] };
  const { umask, timeZone, epoch, clock, windows } = environment;
  const recipe: Recipe = {
    variant: choice,
    root: sdist.root,
    frontEnd: frontEnd.kind,
    backend: variants.hooks,
    backendPath: variants.backendPaths[choice[2]] ?? [],
    setupArguments: frontEnd.setupArguments,
    umask,
    timeZone,
    epoch,
    clock,
    windows,
    pretendVersion,
    asked,
  };
  return {
    requirements: requirementsOf(variants, toolchain, frontEnd, { sdist, asked }),
    before,
    settings: recipe,
    parameters: [...toolchain.parameters, ...frontEnd.parameters, ...environment.parameters],
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
    ...(recipe.asked.length === 0 ? [] : [`asked for by the build: ${recipe.asked.join(', ')}`]),
  ];
}
