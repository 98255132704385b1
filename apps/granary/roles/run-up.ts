import type { Config } from '@granary/config';
import { exportPublicKey } from '@granary/driver-signer-key';
import { readersOfCatalog } from '@granary/stage-access';
import { importWatchList } from '@granary/stage-demand';
import type { Refusal } from '@granary/stage-ledger';
import type { Progress } from '../output/progress.ts';
import { readDefinitions } from './definitions.ts';
import { followAll } from './follow-all.ts';
import { openSiteServer } from './open-site-server.ts';
import { openPullThrough } from './pull-through.ts';
import { openLocalRepositories } from './repositories.ts';
import type { Scheduler } from './scheduler.ts';
import { openScheduling } from './scheduling.ts';
import { type BatchEvent, openSequencingSite } from './sequencing-site.ts';
import { openQueue } from './services.ts';
import type { Site } from './site.ts';
import { openStations } from './stations.ts';
import { openUpstreams } from './upstreams.ts';
import { concernedBy, readWatchList } from './watch-list.ts';

/** A running site, as the process that schedules its work sees it. */
export interface Running {
  readonly site: Site;
  readonly scheduler: Scheduler;
  /** Where clients and people reach it: `http://127.0.0.1:8080`. */
  readonly address: string;
  /** Resolves when what was known at the start was looked at again, and nothing is left to do. */
  readonly caughtUp: () => Promise<void>;
}
export interface RunOptions {
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}
export interface UpOptions extends RunOptions {
  readonly follow: 'upstream' | 'nothing';
}

/** Every role in one process: starts everything, calls `use` once the site is served and the watch list is queued, and ends everything when that resolves or throws. */
export async function runUp<T>(options: UpOptions, use: (running: Running) => Promise<T>): Promise<T> {
  const { config, progress } = options;
  await using stack = new AsyncDisposableStack();
  const items = await readWatchList(config);
  const definitions = await readDefinitions(config);
  const onRefused = ({ reason }: Refusal) => progress.note(`a fact was refused: ${reason}`);
  const onBatch = ({ origin, ...batch }: BatchEvent) => progress.onStep({ type: 'batch', id: origin, ...batch });
  const site = stack.use(await openSequencingSite({ config, purpose: 'granary up', note: progress.note, onRefused, onBatch }));
  const { catalog, publicStore: store, keys, origins, clock } = site;
  const pulling = openPullThrough({ config, site, note: progress.note, isAlone: true });
  const { port: pull, gauges } = pulling;
  const repositories = stack.use(openLocalRepositories({ folder: site.paths.git, blobs: store.blobs, maxBytes: config.repositories.cacheBytes }));
  const archive = {
    config,
    catalog,
    store,
    publicKey: exportPublicKey(keys),
    origin: origins.public,
    pull,
    gauges,
    readers: readersOfCatalog(catalog),
    repositories,
  };
  const { served, address } = stack.use(await openSiteServer(archive, progress.note));
  progress.note(`serving on ${address}`);
  const queue = stack.use(await openQueue(config, { clock, note: progress.note }));
  const { scheduler, settle } = stack.use(openScheduling({ config, site, queue, progress, definitions }));
  const upstreams = stack.use(await openUpstreams({ ...options, clock, note: progress.note }));
  const { observers, pullable } = stack.use(
    await openStations({ ...options, site, upstreams, served, repositories, queue, settle, needed: concernedBy(items), definitions }),
  );
  stack.use(pulling).connect(pullable);
  const { looked } = stack.use(followAll({ ...options, site, observers, note: progress.note }));
  await importWatchList({ blobs: site.privateStore.blobs, catalog, sink: site.sinkOf('operator') }, items);
  await settle();
  const caughtUp = async () => {
    await looked;
    await scheduler.idle();
  };
  return await use({ site, scheduler, address: config.publicUrl ?? address, caughtUp });
}
