import process from 'node:process';
import { toInstant } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { openHttpServer } from '@granary/driver-http-fastify';
import { openFsStore } from '@granary/driver-store-fs';
import { pypi } from '@granary/ecosystem-pypi';
import { openServe } from '@granary/stage-serve';
import { ORIGIN } from './site.ts';

/** The one process that is measured: what `granary serve` runs, on a folder that was prepared. */
const [data = '', catalogFile = '', port = '0'] = process.argv.slice(2);
const store = await openFsStore(data);
const catalog = openSqliteCatalog(catalogFile, { mode: 'read' });
const serve = openServe({
  ...store,
  catalog,
  clock: { now: () => toInstant(Date.now()), sleep: async () => undefined },
  ecosystems: [pypi],
  site: {
    publicUrl: `http://127.0.0.1:${port}`,
    origin: ORIGIN,
    defaultView: 'all',
    policy: { mode: 'enforce', verdicts: ['reproduced'], tiers: ['publisher-archive'], findings: [], waivers: [] },
  },
  ledgerSize: () => catalog.size(ORIGIN),
  bundlesOf: async () => [],
  keys: async () => ({ publicKey: '', trustedRoot: {}, endorsements: [] }),
  notReady: () => [],
});
const server = await openHttpServer({ listen: { host: '127.0.0.1', port: Number(port) }, handler: serve.handle, onError: (error) => console.error(error) });
process.once('SIGTERM', () => void server.close().finally(() => process.exit(0)));
console.log('listening');
