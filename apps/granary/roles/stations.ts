import type { Config } from '@granary/config';
import { JobError, type Queue, type Repositories, type Sandbox } from '@granary/contract/ports';
import { type Purl, typeOf } from '@granary/core/model';
import { openOciSandbox } from '@granary/driver-sandbox-oci';
import { ecosystems } from '@granary/ecosystems';
import type { Serve } from '@granary/stage-serve';
import type { Progress } from '../output/progress.ts';
import type { Definitions } from './definitions.ts';
import { debianArchitecture } from './environment.ts';
import type { Followed } from './follow.ts';
import { type EcosystemStages, registerHandlers } from './handlers.ts';
import { openMirrorSockets } from './mirror-sockets.ts';
import { mirrorOrRetry, openRepositoryObserver, type RepositoryObserver } from './mirroring.ts';
import { openRootfsMaker } from './rootfs-maker.ts';
import type { Site } from './site.ts';
import { openStation, type Station } from './station.ts';
import type { SyncSide } from './sync-side.ts';
import type { Upstreams } from './upstreams.ts';

export interface StationsParts {
  readonly config: Config;
  readonly site: Site;
  readonly upstreams: Upstreams;
  /** The site's own mirror, for what runs in the sandbox. */
  readonly served: Pick<Serve, 'only'>;
  /** On this machine. */
  readonly repositories: Repositories;
  readonly definitions: Definitions | undefined;
  readonly queue: Queue;
  /** Every fact that was submitted so far is sequenced, and whoever schedules is told. */
  readonly settle: () => Promise<void>;
  readonly progress: Progress;
  /** Ids of ecosystems that the watch list asks something of: what they need is made ready before the first job. */
  readonly needed: ReadonlySet<string>;
  readonly signal: AbortSignal;
}
export interface Stations extends AsyncDisposable {
  /** By the type of the package URLs that each looks at. */
  readonly observers: ReadonlyMap<string, Followed>;
  readonly pullable: ReadonlyMap<string, SyncSide>;
}

/** The type of repositories' package URLs. */
const REPOSITORIES = 'git';

/** A station per ecosystem, all behind one upstream client and one sandbox, and their handlers at the queue. */
export async function openStations(parts: StationsParts): Promise<Stations> {
  await using stack = new AsyncDisposableStack();
  const { config, site, upstreams, progress, served, queue, settle, signal } = parts;
  const sandbox = stack.use(await openOciSandbox({ rootfsCacheDir: site.paths.rootfs, scratchDir: site.paths.sandbox, blobs: site.publicStore.blobs }));
  const mirrors = stack.use(await openMirrorSockets({ serve: served, ledgerSize: () => site.catalog.size(site.origins.public), notesDir: site.paths.sockets }));
  const rootfs = openRootfsMaker({ site, distribution: upstreams.distribution, filesystems: sandbox, architecture: debianArchitecture() });
  const stations = new Map<string, Station>();
  for (const ecosystem of ecosystems) {
    const needed = parts.needed.has(ecosystem.id);
    const upstream = upstreams.of(ecosystem);
    if (upstream === undefined && needed) throw upstreams.missing(ecosystem);
    if (upstream === undefined) continue;
    const towards = { ecosystem, upstreamBase: upstream.index, settings: upstream.settings, upstream: upstream.client, attestations: upstreams.attestations };
    const shared = { config, site, rootfs, mirrors, repositories: parts.repositories, definitions: parts.definitions, settle, note: progress.note, signal };
    const station = stack.use(openStation({ ...towards, ...shared, sandbox: reporting(sandbox, progress) }));
    if (needed) await station.prepare();
    stations.set(ecosystem.id, station);
  }
  const repositories = openRepositoryObserver({ ...parts, forges: upstreams.forges });
  const demanded = [...stations.values()].map((station) => station.demanded);
  const demand = { ecosystems: demanded, blobs: site.privateStore.blobs, catalog: site.catalog, sink: site.sinkOf('demand') };
  registerHandlers(
    queue,
    {
      demand,
      mirror: (repository: Purl, aborted: AbortSignal) => mirrorOrRetry(repositories, repository, aborted),
      of: (purl: Purl) => stagesOf(stations, typeOf(purl)),
      ofEcosystem: (id: string) => stagesOf(stations, id),
    },
    { before: site.refresh, rebuild: config.rebuild.concurrency },
  );
  // Ends first: what runs still needs everything above.
  stack.defer(() => queue.stop());
  const owned = stack.move();
  const pullable = new Map([...stations].map(([id, { observer, stages }]) => [id, { observer, sync: stages.sync }]));
  return { observers: observersOf(stations, repositories), pullable, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function observersOf(stations: ReadonlyMap<string, Station>, repositories: RepositoryObserver): ReadonlyMap<string, Followed> {
  const observers = new Map<string, Followed>([...stations].map(([id, { observer }]) => [id, observer]));
  return observers.set(REPOSITORIES, { observe: (repository, { signal }) => repositories.look(repository, signal) });
}

function stagesOf(stations: ReadonlyMap<string, Station>, type: string): EcosystemStages {
  const station = stations.get(type);
  if (station === undefined) throw new JobError('later', `this machine has no upstream of ${type}; granary doctor says what is missing`);
  return station.stages;
}

function reporting(sandbox: Sandbox, progress: Progress): Sandbox {
  return { run: (run) => sandbox.run({ ...run, onPhase: (phase) => progress.onStep({ type: 'phase', id: run.id, ...phase }) }) };
}
