import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoredBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoGoProxy } from '../peers/go-proxy.ts';
import { devpi, goProxy, type Link, verdaccio } from '../peers/links.ts';
import type { Peer } from '../peers/peer.ts';
import { report, timed } from '../report.ts';
import { whyNoGo } from './go-home.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { succeeded } from './island-clients.ts';
import { mirrorAll, type Product } from './mirror-all.ts';

/** Everything goes through one chain: true registry, peer, mirror, then without a network another peer with nothing in it, client. */
const folder = mkdtempSync(join(tmpdir(), 'granary-peers-'));
const config = join(folder, 'granary.yaml');
const users = join(folder, 'users');
const noGoProxy = whyNoGo() ?? (await whyNoGoProxy());
if (noGoProxy !== undefined) report(`SKIPPED goproxy: ${noGoProxy}`);
const links: readonly Link[] = [verdaccio, devpi, ...(noGoProxy === undefined ? [goProxy] : [])];
const productOf = ({ ecosystem }: Link) => join(folder, 'products', ecosystem);

let island: Island;
let mirrored: readonly Product[] = [];

beforeAll(async () => {
  const reason = whyNoIsland();
  if (reason !== undefined) throw new Error(reason);
  mkdirSync(users);
  const behind: Peer[] = [];
  try {
    const upstreams: Record<string, { index: string }> = {};
    for (const link of links) {
      const registry = await link.trueRegistry();
      await link.lock(productOf(link), { folder: users, registry });
      const peer = await timed(`start ${link.peer}`, () => link.start({ folder: join(folder, 'behind', link.ecosystem), upstream: registry }));
      behind.push(peer);
      upstreams[link.ecosystem] = { index: link.registryOf(peer) };
    }
    const watch = links.map((link) => join('products', link.ecosystem, link.lockfile));
    writeFileSync(config, JSON.stringify({ watch, upstreams, data: 'data' }));
    mirrored = await timed('mirror through the peers', () => mirrorAll(config));
  } finally {
    for (const peer of behind) await peer[Symbol.asyncDispose]();
  }
  island = await openIsland(join(folder, 'data'));
}, 1_800_000);
afterAll(async () => {
  await island?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
});

describe.each(links)('$peer', (link) => {
  it('as upstream of the mirror: all of a product comes through it, checked', () => {
    const product = mirrored.find(({ specification }) => specification === join('products', link.ecosystem, link.lockfile));

    report(`${link.peer}: ${product?.held.files} of ${product?.files} files`);
    expect(product).toMatchObject({ complete: true, missing: [] });
    using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
    const evidence = [...catalog.all('stored', { subjectPrefix: `pkg:${link.ecosystem}/` })].flatMap(({ entry }) => StoredBody.parse(entry.body).evidence);
    const states = new Set(evidence.filter(({ check }) => check === link.proof).map(({ state }) => state));
    expect(states).toContain('checked');
    expect(states).not.toContain('unchecked');
  });

  it('as upstream of the mirror, and gone: the product installs from the mirror', async () => {
    const user = { folder: users, registry: link.registryAt(island.address), runner: island.run };

    succeeded(await timed(`install from the mirror, filled by ${link.peer}`, () => link.install(productOf(link), user)), 'install');
  });

  it('in front of the mirror, with nothing else in reach: the product installs through it', async () => {
    const place = { folder: join(folder, 'before', link.ecosystem), upstream: link.registryAt(island.address), inside: island.inside };
    await using peer = await link.start(place);
    const user = { folder: users, registry: link.registryOf(peer, island.address), runner: island.run };

    succeeded(await timed(`install through ${link.peer} from the mirror`, () => link.install(productOf(link), user)), 'install');
  });
});

it.skipIf(noGoProxy !== undefined)(`goproxy is here${noGoProxy === undefined ? '' : `: ${noGoProxy}`}`, () => {
  expect(links).toContain(goProxy);
});

it('nothing but the mirror and the peers are there', async () => {
  expect((await island.run(['cat', '/proc/net/dev'])).said.match(/^\s*\w+:/gm)).toEqual([expect.stringContaining('lo:')]);
});
