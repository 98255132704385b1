import { exportPublicKey } from '@granary/driver-signer-key';
import { readersOfCatalog } from '@granary/stage-access';
import { readDefinitions } from './definitions.ts';
import { openFollowingSite } from './following-site.ts';
import { openLocalRepositories } from './repositories.ts';
import type { RunOptions } from './run-up.ts';
import { serveArchive } from './serve-archive.ts';
import { openSharedQueue } from './services.ts';
import { openStations } from './stations.ts';
import { openUpstreams } from './upstreams.ts';
import { concernedByCatalog } from './watch-list.ts';

/** Does jobs of every stage until the signal aborts; then ends those under way, whose work is queued again. */
export async function runWorker(options: RunOptions): Promise<void> {
  const { config, progress, signal } = options;
  await using stack = new AsyncDisposableStack();
  const { note } = progress;
  const definitions = await readDefinitions(config);
  const site = stack.use(await openFollowingSite({ config, purpose: 'granary worker', note, signal }));
  const { catalog, publicStore: store, keys, origins, clock } = site;
  const repositories = stack.use(openLocalRepositories({ folder: site.paths.git, blobs: store.blobs, maxBytes: config.repositories.cacheBytes }));
  const served = serveArchive({ config, catalog, store, publicKey: exportPublicKey(keys), origin: origins.public, readers: readersOfCatalog(catalog) });
  const queue = stack.use(await openSharedQueue(config, { clock, note }));
  stack.defer(queue.subscribe((event) => progress.onEvent(event)));
  const upstreams = stack.use(await openUpstreams({ ...options, clock, note }));
  stack.use(
    await openStations({ ...options, site, upstreams, served, repositories, queue, settle: site.settle, needed: await concernedByCatalog(site), definitions }),
  );
  note('taking jobs');
  await aborted(signal);
}

/** Resolves when the signal aborts. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
