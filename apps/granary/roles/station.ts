import { mkdir } from 'node:fs/promises';
import type { Config } from '@granary/config';
import { type Ecosystem, openPackageDocuments, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { JobError, type Resolver, type Sandbox, type Upstream } from '@granary/contract/ports';
import { type Artifact, type Purl, packageOf } from '@granary/core/model';
import { openUvResolver } from '@granary/driver-resolver-uv';
import { attest, readJudged } from '@granary/stage-attest';
import { buildMetadata, type MetadataPorts } from '@granary/stage-rebuild';
import { type SyncPorts, storeArtifact } from '@granary/stage-sync';
import { type CandidateServer, openCandidateServer } from './candidate-server.ts';
import { type Environment, ensureEnvironment, type RootfsMaker } from './environment.ts';
import type { Stages } from './handlers.ts';
import type { MirrorSockets } from './mirror-sockets.ts';
import { type Observer, observeOrRetry, openObserver } from './observer.ts';
import { policyOf } from './policy.ts';
import type { Site } from './site.ts';

/** What faces upstream for one ecosystem: everything that the queue's jobs need. */
export interface Station extends AsyncDisposable {
  readonly stages: Stages;
  readonly observer: Observer;
  readonly environment: Environment;
}
export interface StationParts {
  readonly config: Config;
  readonly site: Site;
  readonly ecosystem: Ecosystem;
  readonly upstreamBase: string;
  readonly upstream: Upstream;
  readonly sandbox: Sandbox;
  readonly rootfs: RootfsMaker;
  readonly mirrors: MirrorSockets;
  /** Every fact that was submitted so far is sequenced, and the scheduler told. */
  readonly settle: () => Promise<void>;
  readonly note: (text: string) => void;
  /** Ends the opening; what is open is ended by disposing. */
  readonly signal: AbortSignal;
}

/** How long the resolver takes an index document as current. */
const CANDIDATE_MAX_AGE_MS = 30_000;

export async function openStation(parts: StationParts): Promise<Station> {
  const { site, ecosystem, settle, note } = parts;
  const { catalog } = site;
  const { blobs } = site.publicStore;
  const documents = openPackageDocuments({ blobs, catalog, ecosystem });
  const sync: SyncPorts = {
    ecosystem,
    upstreamBase: parts.upstreamBase,
    upstream: parts.upstream,
    blobs,
    catalog,
    documents,
    sink: site.sinkOf('sync'),
    clock: site.clock,
  };
  const observer = openObserver(sync, { settle, refresh: site.refresh });
  const { rootfs, signal } = parts;
  const environment = await ensureEnvironment({ ecosystem, sync, observer, rootfs, toolsDir: site.paths.tools, settle, note, signal });
  await mkdir(site.paths.resolver, { recursive: true });
  const resolver = openUvResolver({ uv: toolPath(environment, 'uv'), scratchDir: site.paths.resolver });
  const candidate = await openCandidate(parts, { sync, observer, environment, resolver });
  const stages = stagesOf(parts, { sync, observer, environment, resolver: candidate.explained(resolver), candidate });
  return { stages, observer, environment, [Symbol.asyncDispose]: () => candidate[Symbol.asyncDispose]() };
}

interface Built {
  readonly sync: SyncPorts;
  readonly observer: Observer;
  readonly environment: Environment;
  readonly resolver: Resolver;
}

/** The candidate view may need the sandbox, whose build requirements need the candidate view: it is told its own address once it is known. */
async function openCandidate(parts: StationParts, { sync, observer, environment, resolver }: Built): Promise<CandidateServer> {
  let server: CandidateServer | undefined;
  const metadata = async (archive: UpstreamArtifact): Promise<Uint8Array | undefined> => {
    if (server === undefined) throw new JobError('at-once', `metadata of ${archive.purl}: the candidate view isn't open yet`);
    const { view, indexUrl, explained } = server;
    const ports: MetadataPorts = {
      ecosystem: parts.ecosystem,
      environment,
      resolver: explained(resolver),
      sandbox: parts.sandbox,
      candidateUrl: indexUrl,
      candidateDocuments: (purl) => view.document(purl),
      openMirror: (moment) => parts.mirrors.open(moment),
      blobs: sync.blobs,
      clock: parts.site.clock,
      ensureStored: (artifact) => ensureStored(parts, { sync, observer }, artifact),
    };
    parts.note(`asking ${archive.fileName} for its metadata, in the sandbox`);
    const built = await buildMetadata(ports, archive);
    if (built.ok) return built.metadata;
    parts.note(`${archive.fileName} has no metadata to be had: ${built.why}`);
    return undefined;
  };
  server = await openCandidateServer({ ...sync, observe: (purl) => observer.observe(purl), buildMetadata: metadata, maxAgeMs: CANDIDATE_MAX_AGE_MS });
  return server;
}

async function ensureStored({ settle }: StationParts, { sync, observer }: Pick<Built, 'sync' | 'observer'>, artifact: Artifact): Promise<void> {
  if (sync.catalog.current('stored', artifact.purl) !== undefined) return;
  const packagePurl = packageOf(artifact.purl);
  if (sync.catalog.current('observed', packagePurl) === undefined) await observer.observe(packagePurl);
  await storeArtifact(sync, artifact);
  await settle();
}

function stagesOf(parts: StationParts, built: Built & { readonly candidate: CandidateServer }): Stages {
  const { config, site, ecosystem } = parts;
  const { sync, observer, environment, resolver, candidate } = built;
  const { catalog, publicStore, privateStore, keys, origins } = site;
  const { blobs } = publicStore;
  const candidateDocuments = (purl: Purl) => candidate.view.document(purl);
  const policy = policyOf(config, origins.public);
  return {
    sync,
    demand: {
      ecosystem,
      resolver,
      candidateUrl: candidate.indexUrl,
      documents: candidateDocuments,
      runtimeVersion: environment.runtimeVersion,
      blobs: privateStore.blobs,
      catalog,
      sink: site.sinkOf('demand'),
    },
    plan: {
      ecosystem,
      environment,
      resolver,
      candidateUrl: candidate.indexUrl,
      candidateDocuments,
      documents: sync.documents,
      blobs,
      catalog,
      sink: site.sinkOf('rebuild'),
    },
    run: { ecosystem, sandbox: parts.sandbox, openMirror: (moment) => parts.mirrors.open(moment), blobs, catalog, sink: site.sinkOf('rebuild') },
    judge: { ecosystem, blobs, catalog, sink: site.sinkOf('judge') },
    observe: (purl, signal) => observeOrRetry(observer, purl, signal),
    async attest(purl) {
      const verdict = catalog.current('verdict', purl);
      if (verdict === undefined) throw new JobError('at-once', `attest ${purl}: there is no verdict yet`);
      const judged = await readJudged({ catalog, blobs }, verdict, policy);
      await attest({ signer: keys.statement, objects: publicStore.objects, sink: site.sinkOf('attest') }, judged, origins.public);
    },
  };
}

function toolPath({ tools }: Environment, name: string): string {
  const path = tools.get(name);
  if (path === undefined) throw new JobError('never', `the environment brings no ${name}`);
  return path;
}
