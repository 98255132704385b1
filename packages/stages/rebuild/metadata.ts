import type { CompiledBuild, UpstreamArtifact } from '@granary/contract/ecosystem';
import type { BlobStore, Clock, Sandbox, SandboxResult } from '@granary/contract/ports';
import { type Artifact, type Instant, sha256 } from '@granary/core/model';
import { BUILD_LIMITS } from './plan.ts';
import type { BuildEnvironment, MirrorSocket } from './rebuild-ports.ts';
import { type ResolvePorts, resolveClosure } from './resolve-closure.ts';

export interface MetadataPorts extends ResolvePorts {
  readonly environment: BuildEnvironment;
  readonly sandbox: Sandbox;
  readonly openMirror: (moment: { readonly asOf: string }) => Promise<MirrorSocket>;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Mirrors an artifact of the build closure, if it isn't yet. */
  readonly ensureStored: (artifact: Artifact) => Promise<void>;
}

const MAX_SOURCE_BYTES = 256 * 2 ** 20;
const MAX_ROUNDS = 3;

/**
 * Core metadata of a release that has only source archives: its own build says, in the sandbox, with the registry as it stood when
 * it was published. Undefined when the build can't or won't say. The source must be stored.
 */
export async function buildMetadata(ports: MetadataPorts, source: UpstreamArtifact): Promise<Uint8Array | undefined> {
  const job = ports.ecosystem.rebuild.metadata;
  const sourceBytes = await ports.blobs.read(source.sha256, MAX_SOURCE_BYTES);
  if (job === undefined || sourceBytes === undefined) return undefined;
  let asked: readonly string[] = [];
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const requirements = await job.requirements(source, sourceBytes, asked);
    // What built it may be younger than the source: old archives name no versions, and the tools of their day are gone.
    const closure = await firstResolved(ports, requirements, source.publishedAt);
    if (closure === undefined) return undefined;
    for (const artifact of closure.artifacts) await ports.ensureStored(artifact);
    const compiled = await job.compile(source, sourceBytes, closure.artifacts, asked);
    const result = await runOnce(ports, { source, sourceBytes, compiled, asOf: closure.asOf });
    const metadata = job.read(result.outputs);
    if (metadata !== undefined) return metadata;
    const needs = ports.ecosystem.rebuild.readNeeds(result.outputs, result.log.text);
    if (needs === undefined) return undefined;
    asked = [...new Set([...asked, ...needs])];
  }
  return undefined;
}

async function firstResolved(
  ports: MetadataPorts,
  requirements: readonly string[],
  publishedAt: Instant | undefined,
): Promise<{ readonly artifacts: readonly Artifact[]; readonly asOf: Instant } | undefined> {
  const moments = [...(publishedAt === undefined ? [] : [publishedAt]), ports.clock.now()];
  for (const asOf of moments) {
    const closure = await resolveClosure(ports, { requirements, before: asOf });
    if (closure.ok) return { artifacts: closure.artifacts, asOf };
  }
  return undefined;
}

interface MetadataRun {
  readonly source: Artifact;
  readonly sourceBytes: Uint8Array;
  readonly compiled: CompiledBuild;
  readonly asOf: Instant;
}

async function runOnce(ports: MetadataPorts, { source, sourceBytes, compiled, asOf }: MetadataRun): Promise<SandboxResult> {
  const mirror = await ports.openMirror({ asOf });
  try {
    return await ports.sandbox.run({
      id: `m-${sha256(`${source.sha256} ${compiled.files.map(({ text }) => text).join('')}`).slice(0, 32)}`,
      rootfs: ports.environment.rootfs,
      inputs: [
        { path: `source/${source.fileName}`, content: { bytes: sourceBytes } },
        ...compiled.files.map(({ path, text }) => ({ path, content: { bytes: new TextEncoder().encode(text) } })),
      ],
      phases: compiled.phases,
      mirrorSocket: mirror.path,
      outputDir: compiled.outputDir,
      limits: BUILD_LIMITS,
    });
  } finally {
    await mirror.close();
  }
}
