import {
  type Attempt,
  type BuildInput,
  type BuildProposal,
  type BuildStep,
  type Definition,
  definitionJson,
  encodePlan,
  type PlanRecord,
  type Proposed,
  type RebuildSource,
  type RebuildSubject,
  readBuildHistory,
  stepsFrom,
  storedArtifact,
} from '@granary/contract/ecosystem';
import { type BlobStore, type CatalogFact, JobError, type SandboxLimits } from '@granary/contract/ports';
import { commitObject, treeArchive } from '@granary/contract/repository';
import { decodeComparison } from '@granary/core/compare';
import {
  type Artifact,
  canonicalJson,
  type LocatedBody,
  type PinnedArtifact,
  type Purl,
  purlParts,
  type Sha256,
  sha256,
  toInstant,
  toPurl,
} from '@granary/core/model';
import { locatedSource, targetOf } from './locate.ts';
import { precedentOf } from './precedent.ts';
import type { PlanPorts } from './rebuild-ports.ts';
import { resolveClosure } from './resolve-closure.ts';
import { upstreamIndex } from './upstream-index.ts';

const MAX_ARTIFACT_BYTES = 256 * 2 ** 20;
const MAX_RECORD_BYTES = 16 * 2 ** 20;
/** Enough for every pure package of the benchmarks; a build that needs more says `out-of-memory` or `disk-full`. */
export const BUILD_LIMITS: SandboxLimits = {
  memoryBytes: 2 * 2 ** 30,
  cpus: 1,
  pids: 512,
  diskBytes: 2 ** 30,
  outputBytes: 256 * 2 ** 20,
  outputFiles: 64,
  logBytes: 2 ** 20,
};

/** Of what nobody says when it was published. */
const BEGINNING = toInstant(0);

export interface AttemptToPlan {
  readonly purl: Purl;
  readonly attempt: number;
}

/**
 * Plans the next attempt at an artifact from what the earlier ones came to, and records it: a definition with its exact build
 * closure, that its requirements can't be resolved, or that there is nothing left to try. Pure planning lies in the ecosystem;
 * requirements are resolved on upstream's index as it stood when the artifact was published. Does nothing when that attempt, counted from
 * 1, is on record: a plan that is made again must not become the one after it.
 */
export async function planAttempt(ports: PlanPorts, { purl, attempt }: AttemptToPlan, signal?: AbortSignal): Promise<void> {
  const target = targetOf(ports, purl);
  // As of now: what somebody else plans meanwhile makes this one stale, and it is refused.
  const previous = ports.catalog.current('wanted', purl);
  const steps = await readBuildHistory(ports, target);
  if (steps.length >= attempt) return;
  if (steps.length + 1 < attempt) throw new JobError('at-once', `plan attempt ${attempt} at ${purl}: only ${steps.length} are known here yet`);
  const located = locatedSource(ports, purl);
  const source = { id: located.kind === 'archive' ? located.sha256 : located.commit, tier: located.tier };
  const planned: Planned = { purl, previous, attempt, source };
  const attempts = (await Promise.all(stepsFrom(steps, located).map((step) => attemptOf(ports.blobs, step)))).flatMap((made) => made ?? []);
  // Whoever has nothing to build needs no tree to say so.
  const isDecided = located.kind === 'commit' && ports.ecosystem.rebuilding.strategy.commits?.filesDecide === true && attempts.length > 0;
  if (isDecided) return await record(ports, planned, { result: { type: 'exhausted' } });
  const subject = await subjectOf(ports, target, located);
  const proposed = await propose(ports, subject, attempts);
  if (proposed.type === 'exhausted') {
    const { failureClass, detail } = proposed;
    const result = { type: 'exhausted' as const, ...(failureClass === undefined ? {} : { failureClass }), ...(detail === undefined ? {} : { detail }) };
    return await record(ports, planned, { result });
  }
  const { proposal } = proposed;
  const closure = await resolveClosure(ports, proposal, signal);
  if (!closure.ok) return await record(ports, planned, { proposal, result: { type: 'unresolvable', why: closure.why, detail: closure.detail } });
  const definition = new TextEncoder().encode(
    canonicalJson(definitionJson(await define(ports, subject, { proposal: { ...proposal, before: closure.asOf }, closure: closure.artifacts }))),
  );
  const blob = await ports.blobs.put(definition, { maxBytes: definition.length });
  const against = proposal.method === 'source-files' ? { against: subject.source.sha256 } : {};
  await record(ports, planned, { proposal, result: { type: 'definition', definition: blob.sha256, ...against } }, closure.artifacts.length);
}

async function subjectOf(ports: PlanPorts, target: PinnedArtifact, located: NonNullable<LocatedBody['source']>): Promise<RebuildSubject> {
  const published = await bytesOf(ports.blobs, target.sha256);
  // Of a commit nothing runs before its files were looked at: what runs nothing needs no environment.
  return { target, published, ...(await sourceOf(ports, target, located)), runtimeVersion: '' };
}

async function sourceOf(
  ports: PlanPorts,
  target: PinnedArtifact,
  located: NonNullable<LocatedBody['source']>,
): Promise<Pick<RebuildSubject, 'source' | 'sourceBytes' | 'commitObject' | 'sourcePublishedAt'>> {
  if (located.kind === 'archive') {
    const stored = ports.catalog.current('stored', toPurl(located.purl));
    if (stored === undefined) throw new JobError('later', `plan ${target.purl}: its source ${located.purl} isn't stored yet`);
    const { purl, fileName, sha256: digest, publishedAt } = storedArtifact(stored);
    const source: RebuildSource = { kind: 'archive', tier: 'publisher-archive', purl, fileName, sha256: digest };
    return { source, sourceBytes: await bytesOf(ports.blobs, located.sha256), ...(publishedAt === undefined ? {} : { sourcePublishedAt: publishedAt }) };
  }
  const { repository, commit, directory, tier } = located;
  if (tier === 'publisher-archive') throw new JobError('never', `plan ${target.purl}: a commit is no publisher's archive`);
  const bytes = await treeArchive(ports, repository, commit);
  const fileName = `${purlParts(repository).name}-${commit.slice(0, 12)}.tar`;
  const source: RebuildSource = {
    kind: 'commit',
    tier,
    repository,
    commit,
    ...(directory === undefined ? {} : { directory }),
    fileName,
    sha256: sha256(bytes),
  };
  const object = await commitObject(ports, repository, commit);
  return { source, sourceBytes: bytes, ...(object === undefined ? {} : { commitObject: object }) };
}

/** The files of a commit come first, whatever the ecosystem: that takes no build, and says what a build has to explain. */
async function propose(ports: PlanPorts, subject: RebuildSubject, attempts: readonly Attempt[]): Promise<Proposed> {
  const isLookedAt = subject.source.kind === 'archive' || attempts.some(({ proposal }) => proposal.method === 'source-files');
  if (!isLookedAt) {
    const before = subject.target.publishedAt ?? BEGINNING;
    return { type: 'build', proposal: { method: 'source-files', requirements: [], before, settings: {}, parameters: [], assists: [], notes: [] } };
  }
  const runtimeVersion = (await ports.environment())?.runtimeVersion ?? '';
  const precedent = await precedentOf(ports, subject.target);
  const index = await upstreamIndex(ports, subject.target);
  const known = { ...subject, runtimeVersion, ...(precedent === undefined ? {} : { precedent }), ...(index === undefined ? {} : { index }) };
  return await ports.ecosystem.rebuilding.strategy.propose(known, attempts);
}

async function attemptOf(blobs: BlobStore, step: BuildStep): Promise<Attempt | undefined> {
  const { proposal, result } = step.plan;
  if (proposal === undefined || result.type === 'exhausted') return undefined;
  if (result.type === 'unresolvable') return { proposal, outcome: result };
  const built = step.rebuilt?.body;
  if (built === undefined && result.against === undefined) throw new JobError('at-once', `plan: definition ${result.definition} wasn't built yet`);
  if (built?.status === 'needs') return { proposal, outcome: { type: 'needs', requirements: built.requirements } };
  if (built?.status === 'failed') {
    const log = built.run?.log === undefined ? undefined : await blobs.read(built.run.log, MAX_RECORD_BYTES);
    return { proposal, outcome: { type: 'failed', failureClass: built.failureClass, log: new TextDecoder().decode(log ?? new Uint8Array()) } };
  }
  if (step.compared === undefined) throw new JobError('at-once', `plan: what ${result.definition} came to wasn't compared yet`);
  const comparison = decodeComparison(await bytesOf(blobs, step.compared.body.comparison));
  if (comparison === undefined) throw new JobError('never', `plan: ${step.compared.body.comparison} is no comparison`);
  return { proposal, outcome: { type: 'compared', comparison } };
}

interface Chosen {
  readonly proposal: BuildProposal;
  readonly closure: readonly Artifact[];
}

async function define(ports: PlanPorts, subject: RebuildSubject, { proposal, closure }: Chosen): Promise<Definition> {
  const { id, rebuilding } = ports.ecosystem;
  const { strategy } = rebuilding;
  const { target, source } = subject;
  return {
    granary: 1,
    type: 'definition',
    engine: strategy.engine,
    target: { purl: target.purl, fileName: target.fileName, sha256: target.sha256 },
    source,
    registry: { ecosystem: id, asOf: proposal.before },
    buildClosure: closure.map(inputOf),
    ...(proposal.method === 'source-files' ? LOOKED_AT : await compiled(ports, subject, { proposal, closure })),
    limits: BUILD_LIMITS,
    parameters: proposal.parameters,
    assists: proposal.assists,
    notes: proposal.notes,
    origin: 'inferred',
  };
}

function inputOf({ purl, fileName, digests }: Artifact): BuildInput {
  return digests.sha256 === undefined ? { purl, fileName, digests } : { purl, fileName, sha256: digests.sha256 };
}

const LOOKED_AT = { method: 'source-files', files: [], phases: [], outputDir: '' } as const;

async function compiled(
  ports: PlanPorts,
  subject: RebuildSubject,
  { proposal, closure }: Chosen,
): Promise<Pick<Definition, 'environment' | 'files' | 'phases' | 'outputDir'>> {
  const environment = await ports.environment();
  if (environment === undefined) throw new JobError('never', `plan ${subject.target.purl}: nothing of this ecosystem can be run`);
  const { rootfs, architecture, runtimeVersion } = environment;
  return { environment: { rootfs, architecture }, ...ports.ecosystem.rebuilding.strategy.compile({ ...subject, runtimeVersion }, proposal, closure) };
}

interface Planned {
  readonly purl: Purl;
  readonly previous: CatalogFact | undefined;
  readonly attempt: number;
  readonly source: NonNullable<PlanRecord['source']>;
}

async function record(
  ports: PlanPorts,
  { purl, previous, attempt, source }: Planned,
  plan: Pick<PlanRecord, 'proposal' | 'result'>,
  artifacts = 0,
): Promise<void> {
  const bytes = encodePlan({ attempt, source, ...plan });
  const manifest = await ports.blobs.put(bytes, { maxBytes: bytes.length });
  await ports.sink.submit([
    { kind: 'wanted', subject: purl, body: { role: 'build', manifest: manifest.sha256, artifacts }, ...(previous === undefined ? {} : { prev: previous.key }) },
  ]);
}

async function bytesOf(blobs: BlobStore, digest: Sha256): Promise<Uint8Array> {
  const bytes = await blobs.read(digest, MAX_ARTIFACT_BYTES);
  if (bytes === undefined) throw new JobError('later', `read ${digest}: not in the store`);
  return bytes;
}
