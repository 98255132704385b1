import { mkdir } from 'node:fs/promises';
import type { RebuildableEcosystem, UpstreamArtifact } from '@granary/contract/ecosystem';
import { JobError, type Resolution, type Resolver } from '@granary/contract/ports';
import { type PinnedArtifact, packageOf, pinned } from '@granary/core/model';
import { openUvResolver } from '@granary/driver-resolver-uv';
import { buildMetadata, type MetadataPorts, type PlanPorts, type RunPorts } from '@granary/stage-rebuild';
import { type SyncPorts, storeArtifact, type UpstreamDocuments } from '@granary/stage-sync';
import { AppError } from '../app-error.ts';
import { type CandidateServer, openCandidateServer } from './candidate-server.ts';
import { ensureEnvironment } from './environment.ts';
import { unpackHostTool } from './host-tool.ts';
import type { Observer } from './observer.ts';
import type { StationParts } from './station.ts';

/** What rebuilding an ecosystem's artifacts takes: an environment, a resolver, and upstream in the form that it reads. */
export interface RebuildStation extends AsyncDisposable {
  readonly plan: PlanPorts;
  readonly run: RunPorts;
  /** For requirements as people write them, on any platform. */
  readonly resolve: (requirements: readonly string[], signal: AbortSignal | undefined) => Promise<Resolution>;
}
export type RebuildStationParts = StationParts & { readonly ecosystem: RebuildableEcosystem };
interface Upstreamward {
  readonly sync: SyncPorts;
  readonly observer: Observer;
  readonly documents: UpstreamDocuments;
}

export async function openRebuildStation(parts: RebuildStationParts, upstreamward: Upstreamward): Promise<RebuildStation> {
  const { site, ecosystem, rootfs, settle, note, signal } = parts;
  const { sync, observer, documents } = upstreamward;
  const { toolchain } = ecosystem.rebuilding;
  const made = await ensureEnvironment({ purpose: ecosystem.id, toolset: toolchain, sync, observer, rootfs, settle, note, signal });
  const runtimeVersion = toolchain.runtimeVersion(made.recipe.packages);
  if (runtimeVersion === undefined) throw new AppError('unavailable', `rebuild: the root filesystem brings no runtime for ${ecosystem.id}`);
  const environment = { ...made, runtimeVersion };
  await mkdir(site.paths.resolver, { recursive: true });
  const uv = openUvResolver({ uv: await unpackHostTool(sync.blobs, environment, { name: 'uv', dir: site.paths.tools }), scratchDir: site.paths.resolver });
  const candidate = await openCandidate(parts, { ...upstreamward, environment, resolver: uv });
  const resolver = candidate.explained(uv);
  const { blobs, catalog } = sync;
  const candidateUrl = candidate.indexUrl;
  const sink = site.sinkOf('rebuild');
  return {
    plan: { ecosystem, environment, resolver, candidateUrl, candidateDocuments: documents.current, documents: sync.documents, blobs, catalog, sink },
    run: { ecosystem, sandbox: parts.sandbox, openMirror: (moment) => parts.mirrors.open(moment), blobs, catalog, sink },
    resolve: (requirements, given) => {
      const request = { requirements, indexUrl: candidateUrl, runtimeVersion: environment.runtimeVersion, scope: 'universal' as const };
      return resolver.resolve({ ...request, ...(given === undefined ? {} : { signal: given }) });
    },
    [Symbol.asyncDispose]: () => candidate[Symbol.asyncDispose](),
  };
}

interface Built extends Upstreamward {
  readonly environment: PlanPorts['environment'];
  readonly resolver: Resolver;
}

/** The candidate view may need the sandbox, whose build requirements need the candidate view: it is told its own address once it is known. */
async function openCandidate(parts: RebuildStationParts, built: Built): Promise<CandidateServer> {
  const { ecosystem, sandbox, site, note } = parts;
  const { sync, environment, resolver, documents } = built;
  let server: CandidateServer | undefined;
  const metadata = async (archive: UpstreamArtifact): Promise<Uint8Array | undefined> => {
    const source = pinned(archive);
    if (server === undefined || source === undefined) throw new JobError('at-once', `metadata of ${archive.purl}: the candidate view isn't open yet`);
    const ports: MetadataPorts = {
      ecosystem,
      environment,
      resolver: server.explained(resolver),
      sandbox,
      candidateUrl: server.indexUrl,
      candidateDocuments: documents.current,
      openMirror: (moment) => parts.mirrors.open(moment),
      blobs: sync.blobs,
      clock: site.clock,
      ensureStored: (artifact) => ensureStored(parts, built, artifact),
    };
    note(`asking ${archive.fileName} for its metadata, in the sandbox`);
    const answer = await buildMetadata(ports, source);
    if (answer.ok) return answer.metadata;
    note(`${archive.fileName} has no metadata to be had: ${answer.why}`);
    return undefined;
  };
  server = await openCandidateServer({ ecosystem, documents, upstream: sync.upstream, blobs: sync.blobs, buildMetadata: metadata });
  return server;
}

async function ensureStored({ settle }: RebuildStationParts, { sync, observer }: Upstreamward, artifact: PinnedArtifact): Promise<void> {
  if (sync.catalog.current('stored', artifact.purl) !== undefined) return;
  const packagePurl = packageOf(artifact.purl);
  if (sync.catalog.current('observed', packagePurl) === undefined) await observer.observe(packagePurl);
  await storeArtifact(sync, artifact);
  await settle();
}
