import type { CompiledBuild } from '@granary/contract/ecosystem';
import type { BlobStore, Clock, Sandbox, SandboxResult } from '@granary/contract/ports';
import { type Artifact, type Instant, type PinnedArtifact, pinned, sha256 } from '@granary/core/model';
import { BUILD_LIMITS } from './define.ts';
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

export type BuiltMetadata = { readonly ok: true; readonly metadata: Uint8Array } | { readonly ok: false; readonly why: string };

const MAX_SOURCE_BYTES = 256 * 2 ** 20;
const MAX_ROUNDS = 3;

/**
 * Core metadata of a release that has only source archives: its own build says, in the sandbox. With the tools of today first, as
 * a client would have it built; with those of the day it was published if that fails. The source must be stored.
 */
export async function buildMetadata(ports: MetadataPorts, source: PinnedArtifact): Promise<BuiltMetadata> {
  const sourceBytes = await ports.blobs.read(source.sha256, MAX_SOURCE_BYTES);
  if (sourceBytes === undefined) return { ok: false, why: 'its source is not in the store' };
  const now = await metadataAsOf(ports, { source, sourceBytes, asOf: ports.clock.now() });
  if (now.ok || source.publishedAt === undefined) return now;
  const then = await metadataAsOf(ports, { source, sourceBytes, asOf: source.publishedAt });
  return then.ok ? then : now;
}

interface MetadataRequest {
  readonly source: PinnedArtifact;
  readonly sourceBytes: Uint8Array;
  readonly asOf: Instant;
}

async function metadataAsOf(ports: MetadataPorts, request: MetadataRequest): Promise<BuiltMetadata> {
  const { source, sourceBytes, asOf } = request;
  const job = ports.ecosystem.rebuilding.strategy.metadata;
  if (job === undefined) return { ok: false, why: 'this ecosystem has no job for it' };
  let asked: readonly string[] = [];
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const requirements = await job.requirements(source, sourceBytes, asked);
    const closure = await resolveClosure(ports, { requirements, before: asOf });
    if (!closure.ok) return { ok: false, why: `its build requirements can't be resolved: ${closure.detail}` };
    for (const artifact of closure.artifacts) await ports.ensureStored(artifact);
    const exact = closure.artifacts.flatMap((artifact) => pinned(artifact) ?? []);
    const compiled = await job.compile(source, sourceBytes, exact, asked);
    const result = await runOnce(ports, { ...request, compiled });
    const metadata = job.read(result.outputs);
    if (metadata !== undefined) return { ok: true, metadata };
    const needs = ports.ecosystem.rebuilding.strategy.readNeeds(result.outputs, result.log.text);
    if (needs === undefined) return { ok: false, why: `its build ended without metadata: ${lastLines(result.log.text)}` };
    asked = [...new Set([...asked, ...needs])];
  }
  return { ok: false, why: `its build asks for more each time: ${asked.join(', ')}` };
}

function lastLines(log: string): string {
  return log.trim().split('\n').slice(-4).join(' | ').slice(-500);
}

async function runOnce(
  ports: MetadataPorts,
  { source, sourceBytes, compiled, asOf }: MetadataRequest & { readonly compiled: CompiledBuild },
): Promise<SandboxResult> {
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
