import type { Parameter, Proposed, RebuildSubject } from '@granary/contract/ecosystem';
import { ArchiveError } from '@granary/core/archive';
import { type Instant, purlParts, toInstant } from '@granary/core/model';
import { readBackend } from './backends.ts';
import type { Choosing } from './choice.ts';
import { type PublisherEnvironment, sdistEnvironment, wheelEnvironment } from './environment.ts';
import { readSdistEvidence } from './sdist-evidence.ts';
import { sdistVariantsOf } from './sdist-variants.ts';
import { readSourceTree, type SourceTree } from './source-tree.ts';
import { variantsOf } from './variants.ts';
import { readWheelEvidence } from './wheel-evidence.ts';

/** What is known before the first attempt: the same for all of them. */
export interface Situation extends Choosing {
  readonly environment: PublisherEnvironment;
  readonly before: Instant;
  /** Given to a build that would ask git; empty where the source says it. */
  readonly pretendVersion: string;
  readonly parameters: readonly Parameter[];
}
export type Exhausted = Extract<Proposed, { type: 'exhausted' }>;

const DAY_MS = 86_400_000;
const NO_TIME = 'the index states no upload time: nothing tells which build tools there were';

/** Reads the published file and its source. Says why where there is nothing to try. */
export async function readSituation(subject: RebuildSubject): Promise<Situation | Exhausted> {
  try {
    const tree = await readSourceTree(subject.source, subject.sourceBytes);
    if (tree === undefined) return { type: 'exhausted', failureClass: 'no-source', detail: `${subject.source.fileName}: not a format that is read` };
    return subject.target.fileName.endsWith('.whl') ? await wheelSituation(subject, tree) : await sdistSituation(subject, tree);
  } catch (error) {
    if (error instanceof ArchiveError) return { type: 'exhausted', failureClass: 'malformed-artifact', detail: error.message };
    throw error;
  }
}

async function wheelSituation(subject: RebuildSubject, tree: SourceTree): Promise<Situation | Exhausted> {
  const { fileName } = subject.target;
  const wheel = await readWheelEvidence(fileName, subject.published);
  if (wheel === undefined) return { type: 'exhausted', failureClass: 'malformed-artifact', detail: `${fileName}: no .dist-info with WHEEL and METADATA` };
  const before = momentOf(subject, wheel.stamps.latest);
  if (before === undefined) return { type: 'exhausted', failureClass: 'dependency-unavailable', detail: NO_TIME };
  const pin = readBackend(wheel.generator, tree);
  if (typeof pin === 'string') return { type: 'exhausted', failureClass: pin, detail: `made by ${wheel.generator?.text ?? 'an unnamed tool'}` };
  const variants = variantsOf(pin, wheel, tree, before);
  return { produce: 'wheel', variants, environment: wheelEnvironment(wheel, tree), tree, before, ...pretended(subject, tree) };
}

async function sdistSituation(subject: RebuildSubject, tree: SourceTree): Promise<Situation | Exhausted> {
  const { fileName } = subject.target;
  const sdist = await readSdistEvidence(fileName, subject.published);
  if (sdist === undefined) return { type: 'exhausted', failureClass: 'malformed-artifact', detail: `${fileName}: no folder with PKG-INFO` };
  const before = momentOf(subject, sdist.stamp);
  if (before === undefined) return { type: 'exhausted', failureClass: 'dependency-unavailable', detail: NO_TIME };
  const pin = readBackend(undefined, tree);
  if (typeof pin === 'string')
    return { type: 'exhausted', failureClass: pin, detail: `its source asks for ${tree.buildSystem?.backend ?? 'no tool that is known'}` };
  const variants = sdistVariantsOf({ fileName, pin, sdist, publishedOn: before }, tree);
  if (variants.frontEnd.length === 0) return { type: 'exhausted', failureClass: 'unsupported-backend', detail: `${variants.hooks} makes no zip` };
  return { produce: 'sdist', variants, environment: sdistEnvironment(sdist), tree, before, ...pretended(subject, tree) };
}

/** A second after publication: uploads of one moment are listed with it. Without a time, when the build ran, by the time stamps, in seconds. */
function momentOf({ target, sourcePublishedAt }: RebuildSubject, stamp: number | undefined): Instant | undefined {
  const published = target.publishedAt ?? sourcePublishedAt;
  const moment = published !== undefined ? Date.parse(published) + 1000 : stamp === undefined ? undefined : stamp * 1000 + DAY_MS;
  return moment === undefined ? undefined : toInstant(moment);
}

/** There is no `.git` in a build, whoever would ask it for a tag. */
function pretended({ target, source }: RebuildSubject, tree: SourceTree): Pick<Situation, 'pretendVersion' | 'parameters'> {
  const { version = '' } = purlParts(target.purl);
  if (tree.version !== undefined) return { pretendVersion: '', parameters: [] };
  return { pretendVersion: version, parameters: source.kind === 'commit' ? [{ name: 'version', value: version, from: 'file name' }] : [] };
}
