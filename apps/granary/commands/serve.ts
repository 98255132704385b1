import type { Config } from '@granary/config';
import { StoreError } from '@granary/contract/ports';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { systemClock } from '@granary/driver-queue-memory';
import { hasSiteKeys } from '@granary/driver-signer-key';
import { openPublishedReaders, type PublishedReaders } from '@granary/stage-access';
import { follow, openLedgerReader, storeSource } from '@granary/stage-ledger';
import type { Terminal } from '../output/terminal.ts';
import { dataPaths } from '../roles/data-paths.ts';
import { openSiteServer } from '../roles/open-site-server.ts';
import { openLocalRepositories } from '../roles/repositories.ts';
import { foldLedgers, type LedgerPlace, withPublicReader } from '../roles/site-reader.ts';
import { servePulling } from './serve-pulling.ts';

const FOLLOW_EVERY_MS = 1000;

export interface ServeCommand {
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Serves an archive; fetches for clients where it is configured and this node has the site's keys. */
export async function serve(command: ServeCommand): Promise<void> {
  const { config } = command;
  if (config.pullThrough !== undefined && (await hasSiteKeys(config.keysDir))) await servePulling(command);
  else await serveOnly(command);
}

/** Serves an archive and nothing else, and holds nothing secret. Follows its ledger, so that what another process adds shows within seconds. */
async function serveOnly({ config, terminal, signal }: ServeCommand): Promise<void> {
  await withPublicReader(config, async ({ store, redirects, publicKey, ledger, ledgerKey }) => {
    const readers = openPublishedReaders(store.objects, ledgerKey);
    using catalog = await foldLedgers(openSqliteCatalog(':memory:', { mode: 'fold' }), [ledger]);
    await using repositories = openLocalRepositories({ folder: dataPaths(config).git, blobs: store.blobs, maxBytes: config.repositories.cacheBytes });
    const archive = { config, catalog, store, redirects, publicKey, origin: ledger.origin, readers, repositories };
    await using server = await openSiteServer(archive, terminal.say);
    terminal.say(`serving ${ledger.origin} on ${server.address}; Ctrl-C ends it`);
    const following = [followInto(catalog, ledger, { terminal, signal })];
    if (config.readers === 'registered') following.push(followReaders(readers, { terminal, signal }));
    await Promise.all(following);
  });
}

/** Whoever was known to may read goes on to, while the list can't be had. */
async function followReaders(readers: PublishedReaders, { terminal, signal }: Pick<ServeCommand, 'terminal' | 'signal'>): Promise<void> {
  const clock = systemClock();
  for (let told = ''; !signal.aborted; ) {
    const fault = await readers.refresh().then(
      () => '',
      (error: unknown) => {
        if (error instanceof StoreError) return error.message;
        throw error;
      },
    );
    if (fault !== '' && fault !== told) terminal.say(`not following who may read now: ${fault}`);
    told = fault;
    await clock.sleep(FOLLOW_EVERY_MS, signal).catch(() => undefined);
  }
}

/** A store that can't be reached is no reason to stop: what is held in the catalog is answered, and the rest once it is back. */
async function followInto(
  catalog: ReturnType<typeof openSqliteCatalog>,
  place: LedgerPlace,
  { terminal, signal }: Pick<ServeCommand, 'terminal' | 'signal'>,
): Promise<void> {
  const { store, origin, verifierKey } = place;
  const reader = openLedgerReader({ source: storeSource(store.objects, origin), origin, verifierKey });
  const clock = systemClock();
  for (let told = ''; !signal.aborted; ) {
    try {
      for await (const { leaves } of follow(reader, { from: catalog.size(origin), clock, everyMs: FOLLOW_EVERY_MS, signal })) {
        catalog.fold(origin, leaves);
        told = '';
      }
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'unreachable') throw error;
      if (told !== error.message) terminal.say(`not following the ledger now: ${error.message}`);
      told = error.message;
      await clock.sleep(FOLLOW_EVERY_MS, signal).catch(() => undefined);
    }
  }
}
