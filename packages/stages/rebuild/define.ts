import type { BuildInput, BuildProposal, Definition, RebuildSubject } from '@granary/contract/ecosystem';
import { JobError, type SandboxLimits } from '@granary/contract/ports';
import type { Artifact } from '@granary/core/model';
import type { PlanPorts } from './rebuild-ports.ts';
import { basisOf, type Written, withEnvironment, writtenParameters } from './written.ts';

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

export interface Chosen {
  readonly proposal: BuildProposal;
  readonly closure: readonly Artifact[];
  /** What an operator wrote down of it. */
  readonly written?: Written | undefined;
}

/** All that a build of the proposal takes, so that anybody can run it again. */
export async function define(ports: PlanPorts, subject: RebuildSubject, { proposal, closure, written }: Chosen): Promise<Definition> {
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
    ...(proposal.method === 'source-files' ? LOOKED_AT : withEnvironment(await compiled(ports, subject, { proposal, closure }), written)),
    limits: BUILD_LIMITS,
    parameters: [
      ...proposal.parameters,
      ...(written === undefined ? [] : writtenParameters(written, { method: proposal.method, isOfCommit: source.kind === 'commit' })),
    ],
    assists: proposal.assists,
    notes: proposal.notes,
    ...(written === undefined ? { origin: 'inferred' as const } : { origin: 'written' as const, basis: basisOf(written) }),
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
