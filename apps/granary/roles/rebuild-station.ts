import { mkdir } from 'node:fs/promises';
import { type RebuildableEcosystem, type ResolverEcosystem, type UpstreamArtifact, usesResolver } from '@granary/contract/ecosystem';
import { JobError, type Resolution, type Resolver } from '@granary/contract/ports';
import { type Artifact, packageOf, pinned } from '@granary/core/model';
import { openUvResolver } from '@granary/driver-resolver-uv';
import { type BuildEnvironment, buildMetadata, type MetadataPorts, type PlanPorts, type ResolvePorts, type RunPorts } from '@granary/stage-rebuild';
import { askUpstream, type SyncPorts, storeArtifact, type UpstreamDocuments } from '@granary/stage-sync';
import { AppError } from '../app-error.ts';
import { type CandidateServer, openCandidateServer } from './candidate-server.ts';
import { type Environment, ensureEnvironment } from './environment.ts';
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
type MadeEnvironment = Environment & BuildEnvironment;

export async function openRebuildStation(parts: RebuildStationParts, upstreamward: Upstreamward): Promise<RebuildStation> {
  const { site, ecosystem, repositories } = parts;
  const { sync, documents } = upstreamward;
  const environment = openEnvironment(parts, upstreamward);
  const resolving = usesResolver(ecosystem)
    ? await openResolving({ ...parts, ecosystem }, upstreamward, await environment())
    : ownResolving(parts, upstreamward);
  const { blobs, catalog } = sync;
  const shared = { ecosystem, repositories, blobs, catalog, sink: site.sinkOf('rebuild') };
  const { definitions: written } = parts;
  return {
    plan: { ...shared, environment, resolve: resolving.resolveExact, candidateDocuments: documents.current, documents: sync.documents, written },
    run: { ...shared, sandbox: parts.sandbox, openMirror: (moment) => parts.mirrors.open(moment) },
    resolve: resolving.resolve,
    [Symbol.asyncDispose]: () => resolving[Symbol.asyncDispose](),
  };
}

/** Made by whoever needs it first; what failed is tried again by the next. */
function openEnvironment(parts: RebuildStationParts, { sync, observer }: Upstreamward): () => Promise<MadeEnvironment | undefined> {
  const { ecosystem, rootfs, settle, note, signal } = parts;
  const { toolchain } = ecosystem.rebuilding;
  let made: Promise<MadeEnvironment | undefined> | undefined;
  const make = async (): Promise<MadeEnvironment | undefined> => {
    if (toolchain === undefined) return undefined;
    const environment = await ensureEnvironment({ purpose: ecosystem.id, toolset: toolchain, sync, observer, rootfs, settle, note, signal });
    const runtimeVersion = toolchain.runtimeVersion(environment.recipe.packages, environment.tools);
    if (runtimeVersion === undefined) throw new AppError('unavailable', `rebuild: the root filesystem brings no runtime for ${ecosystem.id}`);
    return { ...environment, runtimeVersion };
  };
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

interface Resolving extends AsyncDisposable {
  readonly resolve: RebuildStation['resolve'];
  /** For the sandbox's platform, as of a time. */
  readonly resolveExact: ResolvePorts['resolve'];
}

/** The ecosystem resolves what its builds need by itself, where they need anything. */
function ownResolving({ ecosystem }: RebuildStationParts, { sync, documents }: Upstreamward): Resolving {
  return {
    async resolve() {
      throw new JobError('never', `resolve: ${ecosystem.id} has no resolver for what people ask for`);
    },
    async resolveExact(wanted, signal) {
      const resolution = await ecosystem.rebuilding.resolve?.(wanted, (purl) => documents.current(purl), askUpstream(sync, signal));
      return resolution ?? { ok: false, why: 'unavailable', detail: `${ecosystem.id} builds can't ask for anything` };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

type ResolverParts = StationParts & { readonly ecosystem: ResolverEcosystem };

async function openResolving(parts: ResolverParts, upstreamward: Upstreamward, environment: MadeEnvironment | undefined): Promise<Resolving> {
  const { site, ecosystem } = parts;
  const { sync } = upstreamward;
  if (environment === undefined) throw new AppError('unavailable', `rebuild: nothing to resolve ${ecosystem.id} requirements with`);
  await mkdir(site.paths.resolver, { recursive: true });
  const uv = openUvResolver({ uv: await unpackHostTool(sync.blobs, environment, { name: 'uv', dir: site.paths.tools }), scratchDir: site.paths.resolver });
  const candidate = await openCandidate(parts, { ...upstreamward, environment, resolver: uv });
  const resolver = candidate.explained(uv);
  const { indexUrl } = candidate;
  const { runtimeVersion } = environment;
  return {
    resolve: (requirements, signal) =>
      resolver.resolve({ requirements, indexUrl, runtimeVersion, scope: 'universal', ...(signal === undefined ? {} : { signal }) }),
    resolveExact: exactly(resolver, { indexUrl, runtimeVersion }),
    [Symbol.asyncDispose]: () => candidate[Symbol.asyncDispose](),
  };
}

function exactly(resolver: Resolver, given: { readonly indexUrl: string; readonly runtimeVersion: string }): ResolvePorts['resolve'] {
  return (wanted, signal) => resolver.resolve({ ...given, ...wanted, scope: 'this-platform', ...(signal === undefined ? {} : { signal }) });
}

interface Built extends Upstreamward {
  readonly environment: MadeEnvironment;
  readonly resolver: Resolver;
}

/** The candidate view may need the sandbox, whose build requirements need the candidate view: it is told its own address once it is known. */
async function openCandidate(parts: ResolverParts, built: Built): Promise<CandidateServer> {
  const { ecosystem, sandbox, site, note } = parts;
  const { sync, environment, resolver, documents } = built;
  let server: CandidateServer | undefined;
  const metadata = async (archive: UpstreamArtifact): Promise<Uint8Array | undefined> => {
    const source = pinned(archive);
    if (server === undefined || source === undefined) throw new JobError('at-once', `metadata of ${archive.purl}: the candidate view isn't open yet`);
    const ports: MetadataPorts = {
      ecosystem,
      environment,
      resolve: exactly(server.explained(resolver), { indexUrl: server.indexUrl, runtimeVersion: environment.runtimeVersion }),
      sandbox,
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

async function ensureStored({ settle }: StationParts, { sync, observer }: Upstreamward, artifact: Artifact): Promise<void> {
  if (sync.catalog.current('stored', artifact.purl) !== undefined) return;
  const packagePurl = packageOf(artifact.purl);
  if (sync.catalog.current('observed', packagePurl) === undefined) await observer.observe(packagePurl);
  await storeArtifact(sync, artifact);
  await settle();
}
