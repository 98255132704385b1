import {
  type Attempt,
  type BuildProposal,
  type BuildStep,
  type Definition,
  definitionJson,
  encodePlan,
  type PlanRecord,
  type RebuildSubject,
  readBuildHistory,
  storedArtifact,
} from '@granary/contract/ecosystem';
import { type BlobStore, type CatalogFact, JobError, type SandboxLimits } from '@granary/contract/ports';
import { decodeComparison } from '@granary/core/compare';
import { canonicalJson, type PinnedArtifact, type Purl, type Sha256 } from '@granary/core/model';
import { locatedSource, targetOf } from './locate.ts';
import type { PlanPorts } from './rebuild-ports.ts';
import { resolveClosure } from './resolve-closure.ts';

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
  const subject = await subjectOf(ports, target);
  const attempts = (await Promise.all(steps.map((step) => attemptOf(ports.blobs, step)))).flatMap((attempt) => attempt ?? []);
  const proposed = await ports.ecosystem.rebuilding.strategy.propose(subject, attempts);
  if (proposed.type === 'exhausted') {
    const { failureClass, detail } = proposed;
    const result = { type: 'exhausted' as const, ...(failureClass === undefined ? {} : { failureClass }), ...(detail === undefined ? {} : { detail }) };
    return await record(ports, { purl, previous, artifacts: 0 }, { attempt, result });
  }
  const { proposal } = proposed;
  const closure = await resolveClosure(ports, proposal, signal);
  if (!closure.ok)
    return await record(
      ports,
      { purl, previous, artifacts: 0 },
      { attempt, proposal, result: { type: 'unresolvable', why: closure.why, detail: closure.detail } },
    );
  const definition = new TextEncoder().encode(canonicalJson(definitionJson(define(ports, subject, proposal, closure.artifacts))));
  const blob = await ports.blobs.put(definition, { maxBytes: definition.length });
  await record(ports, { purl, previous, artifacts: closure.artifacts.length }, { attempt, proposal, result: { type: 'definition', definition: blob.sha256 } });
}

async function subjectOf(ports: PlanPorts, target: PinnedArtifact): Promise<RebuildSubject> {
  const located = locatedSource(ports, target.purl);
  const source = ports.catalog.current('stored', located.purl);
  if (source === undefined) throw new JobError('later', `plan ${target.purl}: its source ${located.purl} isn't stored yet`);
  return {
    target,
    published: await bytesOf(ports.blobs, target.sha256),
    source: storedArtifact(source),
    sourceBytes: await bytesOf(ports.blobs, located.sha256),
    runtimeVersion: ports.environment.runtimeVersion,
  };
}

async function attemptOf(blobs: BlobStore, step: BuildStep): Promise<Attempt | undefined> {
  const { proposal, result } = step.plan;
  if (proposal === undefined || result.type === 'exhausted') return undefined;
  if (result.type === 'unresolvable') return { proposal, outcome: result };
  const built = step.rebuilt?.body;
  if (built === undefined) throw new JobError('at-once', `plan: definition ${result.definition} wasn't built yet`);
  if (built.status === 'needs') return { proposal, outcome: { type: 'needs', requirements: built.requirements } };
  if (built.status === 'failed') {
    const log = built.run?.log === undefined ? undefined : await blobs.read(built.run.log, MAX_RECORD_BYTES);
    return { proposal, outcome: { type: 'failed', failureClass: built.failureClass, log: new TextDecoder().decode(log ?? new Uint8Array()) } };
  }
  if (step.compared === undefined) throw new JobError('at-once', `plan: the build of ${result.definition} wasn't compared yet`);
  const comparison = decodeComparison(await bytesOf(blobs, step.compared.body.comparison));
  if (comparison === undefined) throw new JobError('never', `plan: ${step.compared.body.comparison} is no comparison`);
  return { proposal, outcome: { type: 'compared', comparison } };
}

function define(ports: PlanPorts, subject: RebuildSubject, proposal: BuildProposal, closure: readonly PinnedArtifact[]): Definition {
  const { id, rebuilding } = ports.ecosystem;
  const { strategy } = rebuilding;
  const { rootfs, architecture } = ports.environment;
  const { target, source } = subject;
  return {
    granary: 1,
    type: 'definition',
    engine: strategy.engine,
    target: { purl: target.purl, fileName: target.fileName, sha256: target.sha256 },
    source: { kind: 'archive', tier: 'publisher-archive', purl: source.purl, fileName: source.fileName, sha256: source.sha256 },
    environment: { rootfs, architecture },
    registry: { ecosystem: id, asOf: proposal.before },
    buildClosure: closure.map(({ purl, fileName, sha256 }) => ({ purl, fileName, sha256 })),
    ...strategy.compile(subject, proposal, closure),
    limits: BUILD_LIMITS,
    parameters: proposal.parameters,
    assists: proposal.assists,
    notes: proposal.notes,
    origin: 'inferred',
  };
}

interface Planned {
  readonly purl: Purl;
  readonly previous: CatalogFact | undefined;
  readonly artifacts: number;
}

async function record(ports: PlanPorts, { purl, previous, artifacts }: Planned, plan: PlanRecord): Promise<void> {
  const bytes = encodePlan(plan);
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
