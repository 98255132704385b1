import { ecosystems } from '@granary/ecosystems';
import { importWatchList } from '@granary/stage-demand';
import { readDefinitions } from './definitions.ts';
import { followAll } from './follow-all.ts';
import { openFollowingSite } from './following-site.ts';
import { openObserver } from './observer.ts';
import type { Running, UpOptions } from './run-up.ts';
import { openScheduling } from './scheduling.ts';
import { publicUrlOf } from './serve-archive.ts';
import { openSharedQueue } from './services.ts';
import { openUpstreams } from './upstreams.ts';
import { readWatchList } from './watch-list.ts';

/** Keeps the queue filled with what the watch list comes to, and looks at upstream; workers do the rest. Calls `use`, and ends when that resolves or throws. */
export async function runScheduler<T>(options: UpOptions, use: (running: Running) => Promise<T>): Promise<T> {
  const { config, progress, signal } = options;
  await using stack = new AsyncDisposableStack();
  const { note } = progress;
  const items = await readWatchList(config);
  const definitions = await readDefinitions(config);
  const site = stack.use(await openFollowingSite({ config, purpose: 'granary scheduler', note, signal }));
  const { catalog, clock } = site;
  const { blobs } = site.publicStore;
  const queue = stack.use(await openSharedQueue(config, { clock, note }));
  const { scheduler, settle } = stack.use(openScheduling({ config, site, queue, progress, definitions }));
  const upstreams = stack.use(await openUpstreams({ ...options, clock, note }));
  const sink = site.sinkOf('sync');
  const observers = new Map(
    ecosystems.flatMap((ecosystem) => {
      const found = upstreams.of(ecosystem);
      if (found === undefined) return [];
      const ports = { ecosystem, upstreamBase: found.index, upstream: found.client, blobs, catalog, sink, clock };
      return [[ecosystem.id, openObserver(ports, site)] as const];
    }),
  );
  const { looked } = stack.use(followAll({ ...options, site, observers, note }));
  await importWatchList({ blobs: site.privateStore.blobs, catalog, sink: site.sinkOf('operator') }, items);
  await settle();
  const caughtUp = async () => {
    await looked;
    await scheduler.idle();
  };
  return await use({ site, scheduler, address: publicUrlOf(config), caughtUp });
}
