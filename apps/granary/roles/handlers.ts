import { cpus } from 'node:os';
import type { Job, JobContext, Queue } from '@granary/contract/ports';
import { factKey, type Purl } from '@granary/core/model';
import { type DemandPorts, demandSpecification } from '@granary/stage-demand';
import { compareBuilt, giveVerdict, type JudgePorts } from '@granary/stage-judge';
import { type BuildOrder, locateSource, planAttempt, type RunPorts, runDefinition, type TryInstallPorts, tryInstall } from '@granary/stage-rebuild';
import { type SyncPorts, storeArtifact } from '@granary/stage-sync';
import { JobPayload } from './job-payload.ts';
import type { RebuildStation } from './rebuild-station.ts';

/** Every stage with its ports: what the queue's jobs call. */
export interface Stages {
  readonly demand: DemandPorts;
  /** Of the ecosystem that a purl is of. Throws JobError where it has no upstream here. */
  readonly of: (purl: Purl) => EcosystemStages;
  readonly mirror: (repository: Purl, signal: AbortSignal) => Promise<void>;
  readonly ofEcosystem: (id: string) => EcosystemStages;
}
export interface EcosystemStages {
  readonly sync: SyncPorts;
  readonly rebuilding: () => Promise<Pick<RebuildStation, 'plan' | 'run'>>;
  /** Throws JobError where installs of the ecosystem can't be tried. */
  readonly installing: () => TryInstallPorts;
  readonly judge: JudgePorts;
  /** One look at a package at a time, and its facts sequenced before the next. */
  readonly observe: (packagePurl: Purl, signal: AbortSignal) => Promise<void>;
  readonly attest: (purl: Purl) => Promise<void>;
}

/** Most of such a job is waiting for the disk. */
const WAITING_CONCURRENCY = 8;
/** Builds may take an hour; nothing else takes longer than a large download, or a large repository. */
const BUILD_TIMEOUT_MS = 60 * 60_000;
const SYNC_TIMEOUT_MS = 2 * 60 * 60_000;
const DEFAULT_TIMEOUT_MS = 20 * 60_000;

export interface HandlerOptions {
  /** Makes the catalog as new as the one that the job was found in. */
  readonly before: () => Promise<void>;
  /** Builds at once; as many as there are cores by default. */
  readonly rebuild?: number | undefined;
}

/** Registers a handler per stage. A job is done when its facts are durable; the scheduler has them sequenced before it looks again. */
export function registerHandlers(queue: Queue, stages: Stages, { before, rebuild }: HandlerOptions): void {
  const cores = cpus().length;
  const perform = async (job: Job, { signal }: JobContext) => {
    await before();
    await performJob(stages, JobPayload.parse(job.payload), signal);
  };
  queue.handle('demand', { concurrency: 4, timeoutMs: DEFAULT_TIMEOUT_MS }, perform);
  queue.handle('sync', { concurrency: WAITING_CONCURRENCY, timeoutMs: SYNC_TIMEOUT_MS }, perform);
  queue.handle('plan', { concurrency: 2 * cores, timeoutMs: DEFAULT_TIMEOUT_MS }, perform);
  queue.handle('rebuild', { concurrency: rebuild ?? Math.max(1, cores), timeoutMs: BUILD_TIMEOUT_MS }, perform);
  queue.handle('judge', { concurrency: WAITING_CONCURRENCY, timeoutMs: DEFAULT_TIMEOUT_MS }, perform);
  queue.handle('attest', { concurrency: WAITING_CONCURRENCY, timeoutMs: DEFAULT_TIMEOUT_MS }, perform);
}

async function performJob(stages: Stages, payload: JobPayload, signal: AbortSignal): Promise<void> {
  switch (payload.type) {
    case 'demand':
      return await demandSpecification(stages.demand, payload.specification, signal);
    case 'observe':
      return await stages.of(payload.package).observe(payload.package, signal);
    case 'mirror':
      return await stages.mirror(payload.repository, signal);
    case 'store':
      return await storeArtifact(stages.of(payload.purl).sync, payload, signal);
    case 'locate':
      return await locateSource((await stages.of(payload.purl).rebuilding()).plan, payload.purl);
    case 'propose':
      return await planAttempt((await stages.of(payload.purl).rebuilding()).plan, payload, signal);
    case 'build':
      return await build((await stages.of(payload.purl).rebuilding()).run, payload, signal);
    case 'compare':
      return await compareBuilt(stages.of(payload.purl).judge, payload, payload.definition);
    case 'verdict':
      return await giveVerdict(stages.of(payload.purl).judge, payload.purl);
    case 'attest':
      return await stages.of(payload.purl).attest(payload.purl);
    case 'try':
      return await tryInstall(stages.ofEcosystem(payload.ecosystem).installing(), payload.specification, signal);
  }
}

/** Of queues that processes share a job may come twice; a build takes too long for that. */
async function build(ports: RunPorts, order: BuildOrder, signal: AbortSignal): Promise<void> {
  if (!isBuilt(ports, order)) await runDefinition(ports, order, signal);
}

function isBuilt({ catalog }: RunPorts, { purl, definition, build }: BuildOrder): boolean {
  return catalog.byKey(factKey({ kind: 'rebuilt', subject: purl, inputs: [definition], body: {}, ...(build === 1 ? {} : { build }) })) !== undefined;
}
