import { exportPublicKey } from '@granary/driver-signer-key';
import { ecosystems } from '@granary/ecosystems';
import { readersOfCatalog } from '@granary/stage-access';
import { openFollowingSite } from '../roles/following-site.ts';
import { openSiteServer } from '../roles/open-site-server.ts';
import { openPullThrough } from '../roles/pull-through.ts';
import { openLocalRepositories } from '../roles/repositories.ts';
import { openStore } from '../roles/services.ts';
import type { Site } from '../roles/site.ts';
import { openSyncSide } from '../roles/sync-side.ts';
import { openUpstreams, type Upstreams } from '../roles/upstreams.ts';
import type { ServeCommand } from './serve.ts';

const FOLLOW_EVERY_MS = 1000;

/** Serves an archive, and fetches for clients what it lacks: such a node reaches upstreams, and has the keys to say what it found. */
export async function servePulling({ config, environment, terminal, signal }: ServeCommand): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const note = terminal.say;
  const site = stack.use(await openFollowingSite({ config, purpose: 'granary serve', note, signal }));
  const { catalog, publicStore: store, keys, origins, clock } = site;
  const { redirects } = stack.use(await openStore(config, 'public'));
  const pulling = openPullThrough({ config, site, note, isAlone: false });
  const { port: pull, gauges } = pulling;
  const repositories = stack.use(openLocalRepositories({ folder: site.paths.git, blobs: store.blobs, maxBytes: config.repositories.cacheBytes }));
  const archive = {
    config,
    catalog,
    store,
    redirects,
    publicKey: exportPublicKey(keys),
    origin: origins.public,
    pull,
    gauges,
    readers: readersOfCatalog(catalog),
    repositories,
  };
  const { address } = stack.use(await openSiteServer(archive, note));
  const upstreams = stack.use(await openUpstreams({ config, environment, clock, note }));
  stack.use(pulling).connect(sidesOf(site, upstreams));
  note(`serving ${origins.public} on ${address}; Ctrl-C ends it`);
  for (let told = ''; !signal.aborted; ) {
    const fault = await site.refresh().then(
      () => '',
      (error: unknown) => `not following the ledger now: ${error instanceof Error ? error.message : String(error)}`,
    );
    // What is held in the catalog is answered all the same.
    if (fault !== told && fault !== '') note(fault);
    told = fault;
    await clock.sleep(FOLLOW_EVERY_MS, signal).catch(() => undefined);
  }
}

function sidesOf(site: Site, upstreams: Upstreams): ReadonlyMap<string, ReturnType<typeof openSyncSide>> {
  return new Map(
    ecosystems.flatMap((ecosystem) => {
      const upstream = upstreams.of(ecosystem);
      if (upstream === undefined) return [];
      const { index, settings, client } = upstream;
      const { attestations } = upstreams;
      return [[ecosystem.id, openSyncSide({ site, ecosystem, upstreamBase: index, settings, upstream: client, attestations, settle: site.settle })]];
    }),
  );
}
