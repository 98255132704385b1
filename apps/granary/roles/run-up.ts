import { writeFile } from 'node:fs/promises';
import type { Config } from '@granary/config';
import type { Queue, Sandbox } from '@granary/contract/ports';
import { openHttpServer } from '@granary/driver-http-fastify';
import { openMemoryQueue } from '@granary/driver-queue-memory';
import { openOciSandbox } from '@granary/driver-sandbox-oci';
import { exportPublicKey } from '@granary/driver-signer-key';
import { openHttpUpstream } from '@granary/driver-upstream-http';
import { ecosystemOf, ecosystems } from '@granary/ecosystems';
import { importWatchList } from '@granary/stage-demand';
import type { Refusal } from '@granary/stage-ledger';
import type { Serve } from '@granary/stage-serve';
import { diskFaultOf } from '../disk-fault.ts';
import type { Progress } from '../output/progress.ts';
import { discoverUpstream, type UpstreamAddress } from './discover.ts';
import { debianArchitecture } from './environment.ts';
import { followUpstream, lookAtAll } from './follow.ts';
import { registerHandlers } from './handlers.ts';
import { openMirrorSockets } from './mirror-sockets.ts';
import { discoverDistribution, openRootfsMaker } from './rootfs-maker.ts';
import { openScheduler, type Scheduler } from './scheduler.ts';
import { parseListen, serveArchive } from './serve-archive.ts';
import { type BatchEvent, openSite, type Site } from './site.ts';
import { openStation, type Station } from './station.ts';
import { readWatchList } from './watch-list.ts';

/** A running site. */
export interface Running {
  readonly site: Site;
  readonly scheduler: Scheduler;
  /** `http://127.0.0.1:8080`. */
  readonly address: string;
  readonly upstreams: ReadonlyMap<string, UpstreamAddress>;
  /** Resolves when what was known at the start was looked at again, and nothing is left to do. */
  readonly caughtUp: () => Promise<void>;
}
export interface UpOptions {
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly follow: 'upstream' | 'nothing';
}

const USER_AGENT = 'granary/0.1 (+mirror and rebuilder)';
/** Per host: what the largest registries let one client ask. */
const UPSTREAM_BUDGET = { maxConcurrent: 16, requestsPerSecond: 50, burst: 100 };

/** Starts everything, calls `use` once the site is served and the watch list is queued, and ends everything when that resolves or throws. */
export async function runUp<T>(options: UpOptions, use: (running: Running) => Promise<T>): Promise<T> {
  const { config, progress } = options;
  await using stack = new AsyncDisposableStack();
  const items = await readWatchList(config);
  const onRefused = ({ reason }: Refusal) => progress.note(`a fact was refused: ${reason}`);
  const onBatch = ({ origin, ...batch }: BatchEvent) => progress.onStep({ type: 'batch', id: origin, ...batch });
  const site = stack.use(await openSite({ dataDir: config.dataDir, onRefused, onBatch }));
  await writeFile(site.paths.publicKey, exportPublicKey(site.keys));
  const served = serveArchive({ config, catalog: site.catalog, store: site.publicStore, keys: site.keys });
  const onError = (error: unknown) => progress.note(`answering a client: ${String(error)}`);
  const server = stack.use(await openHttpServer({ listen: parseListen(config.listen), handler: served.handle, onError }));
  progress.note(`serving on ${server.address}`);
  const { queue, scheduler, settle } = openWork(site, progress, stack);
  const { upstreams, looked } = await openStations({ ...options, site, served, queue, settle }, stack);
  await importWatchList({ blobs: site.privateStore.blobs, catalog: site.catalog, sink: site.sinkOf('operator') }, items);
  await settle();
  const caughtUp = async () => {
    await looked;
    await scheduler.idle();
  };
  return await use({ site, scheduler, address: server.address, upstreams, caughtUp });
}

interface Work {
  readonly queue: Queue;
  readonly scheduler: Scheduler;
  readonly settle: () => Promise<void>;
}

function openWork(site: Site, progress: Progress, stack: AsyncDisposableStack): Work {
  const queue = openMemoryQueue({ clock: site.clock });
  const ports = { ecosystemOf, catalog: site.catalog, privateBlobs: site.privateStore.blobs, publicBlobs: site.publicStore.blobs };
  const onError = (error: Error) => progress.note(`the scheduler stumbled, and tries again: ${diskFaultOf(error)?.message ?? error.message}`);
  const scheduler = openScheduler({ ...ports, queue, settle: site.settle, onError });
  stack.defer(queue.subscribe((event) => progress.onEvent(event)));
  stack.defer(() => scheduler.stop());
  const settle = async () => {
    await site.settle();
    scheduler.nudge();
  };
  return { queue, scheduler, settle };
}

interface StationsParts extends UpOptions {
  readonly site: Site;
  readonly served: Serve;
  readonly queue: Queue;
  readonly settle: () => Promise<void>;
}

interface OpenStations {
  readonly upstreams: ReadonlyMap<string, UpstreamAddress>;
  /** Resolves when every package that was known at the start was looked at. */
  readonly looked: Promise<unknown>;
}

/** A station per ecosystem, all behind one upstream client and one sandbox. */
async function openStations(parts: StationsParts, stack: AsyncDisposableStack): Promise<OpenStations> {
  const { config, site, progress, served, queue, settle } = parts;
  const upstreams = new Map<string, UpstreamAddress>();
  for (const ecosystem of ecosystems) upstreams.set(ecosystem.id, await discoverUpstream(config, ecosystem, parts.environment));
  const distribution = await discoverDistribution();
  const configured = [...[...upstreams.values()].flatMap(({ index, files }) => [index, ...files]), ...(distribution === undefined ? [] : [distribution.url])];
  const upstream = stack.use(openHttpUpstream({ configured, clock: site.clock, userAgent: USER_AGENT, budgets: UPSTREAM_BUDGET }));
  const sandbox = stack.use(await openOciSandbox({ rootfsCacheDir: site.paths.rootfs, scratchDir: site.paths.sandbox, blobs: site.publicStore.blobs }));
  const mirrors = stack.use(await openMirrorSockets({ serve: served, ledgerSize: () => site.catalog.size(site.origins.public), notesDir: site.paths.sockets }));
  const rootfs = openRootfsMaker({ site, upstream, distribution, filesystems: sandbox, architecture: debianArchitecture() });
  const looks: Promise<void>[] = [];
  for (const ecosystem of ecosystems) {
    const upstreamBase = upstreams.get(ecosystem.id)?.index ?? '';
    const given = { config, site, ecosystem, upstreamBase, upstream, rootfs, mirrors, settle, note: progress.note, signal: parts.signal };
    const station = stack.use(await openStation({ ...given, sandbox: reporting(sandbox, progress) }));
    registerHandlers(queue, station.stages, { rebuild: config.rebuild.concurrency });
    looks.push(startLooking(parts, { ecosystem: ecosystem.id, station, stack }));
  }
  // Ends first: what runs still needs everything above.
  stack.defer(() => queue.stop());
  return { upstreams, looked: Promise.all(looks) };
}

function reporting(sandbox: Sandbox, progress: Progress): Sandbox {
  return { run: (run) => sandbox.run({ ...run, onPhase: (phase) => progress.onStep({ type: 'phase', id: run.id, ...phase }) }) };
}

interface Looking {
  readonly ecosystem: string;
  readonly station: Station;
  readonly stack: AsyncDisposableStack;
}

/** Upstream went on while nobody looked: the first look is now, others follow if they shall. Resolves after the first. */
function startLooking({ site, config, progress, signal, follow }: StationsParts, { ecosystem, station, stack }: Looking): Promise<void> {
  const ending = new AbortController();
  const { catalog, clock } = site;
  const ports = {
    ecosystem,
    catalog,
    observer: station.observer,
    sink: site.sinkOf('sync'),
    note: progress.note,
    signal: AbortSignal.any([signal, ending.signal]),
  };
  const looked = lookAtAll(ports);
  const following = follow === 'nothing' ? looked : looked.then(() => followUpstream({ ...ports, clock, intervalMs: config.follow.intervalSeconds * 1000 }));
  stack.defer(async () => {
    ending.abort();
    await following;
  });
  return looked;
}
