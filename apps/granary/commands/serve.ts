import type { Config } from '@granary/config';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { openHttpServer } from '@granary/driver-http-fastify';
import { systemClock } from '@granary/driver-queue-memory';
import { catchUp, follow, openLedgerReader, storeSource } from '@granary/stage-ledger';
import type { Terminal } from '../output/terminal.ts';
import { parseListen, serveArchive } from '../roles/serve-archive.ts';
import { foldLedgers, type LedgerPlace, withSiteReader } from '../roles/site-reader.ts';

const FOLLOW_EVERY_MS = 1000;

/** Serves a data folder and nothing else. Follows its ledger, so that what another process adds shows within seconds. */
export async function serveOnly({
  config,
  terminal,
  signal,
}: {
  readonly config: Config;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}): Promise<void> {
  await withSiteReader(config, async ({ publicStore, keys, ledgers }) => {
    // Only the public ledger: a node that clients reach has no business with the other.
    const own = ledgers.filter(({ side }) => side === 'public');
    using catalog = await foldLedgers(openSqliteCatalog(':memory:', { mode: 'fold' }), own);
    const served = serveArchive({ config, catalog, store: publicStore, keys });
    await using server = await openHttpServer({
      listen: parseListen(config.listen),
      handler: served.handle,
      onError: (error) => terminal.say(`answering a client: ${String(error)}`),
    });
    terminal.say(`serving ${config.dataDir} on ${server.address}; Ctrl-C ends it`);
    await Promise.all(own.map((ledger) => followInto(catalog, ledger, signal)));
  });
}

async function followInto(catalog: ReturnType<typeof openSqliteCatalog>, { store, origin, verifierKey }: LedgerPlace, signal: AbortSignal): Promise<void> {
  const reader = openLedgerReader({ source: storeSource(store.objects, origin), origin, verifierKey });
  const checkpoint = await reader.checkpoint();
  if (checkpoint !== undefined) await catchUp(reader, catalog, checkpoint);
  for await (const { leaves } of follow(reader, { from: catalog.size(origin), clock: systemClock(), everyMs: FOLLOW_EVERY_MS, signal }))
    catalog.fold(origin, leaves);
}
