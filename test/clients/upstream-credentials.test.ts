import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Guarded, openGuarded } from '../upstream/guarded.ts';
import { openLoopbackCrates } from '../upstream/loopback-crates.ts';
import { openLoopbackNpm } from '../upstream/loopback-npm.ts';
import { openLoopbackUpstream } from '../upstream/loopback-upstream.ts';
import { clientSuite } from './client-suite.ts';
import { type GranaryProcess, granaryArgv, granaryEnvironment, startGranary } from './granary-process.ts';
import { mustRun } from './run.ts';
import { freePort } from './running-mirror.ts';

const TEST_MS = 120_000;
const PUBLISHED_AT = '2024-01-01T00:00:00Z';
/** One for each way in which package managers know them; none is part of anything else. */
const SECRETS = { inAddress: 'orchard-one', inNpmrc: 'orchard-two', inCargo: 'orchard-three', inNetrc: 'orchard-four' };
const SHOWN = {
  pypi: `Basic ${btoa(`reader:${SECRETS.inAddress}`)}`,
  npm: `Bearer ${SECRETS.inNpmrc}`,
  cargo: SECRETS.inCargo,
  golang: `Basic ${btoa(`reader:${SECRETS.inNetrc}`)}`,
};

let folder = '';
let address = '';
let running: GranaryProcess;
let guarded: Record<keyof typeof SHOWN, Guarded>;
const home = () => join(folder, 'home');
const settings = () => ({
  HOME: home(),
  // Whoever starts tests with npx says otherwise.
  npm_config_userconfig: join(home(), '.npmrc'),
  CARGO_HOME: join(home(), '.cargo'),
  UPSTREAM_TOKEN: SECRETS.inNpmrc,
});

clientSuite({ name: 'upstream-credentials', reason: undefined, timeoutMs: TEST_MS }, async (place, opened) => {
  folder = place;
  guarded = await openUpstreams(opened);
  await writeHome();
  const upstreams = {
    pypi: { index: `${guarded.pypi.address.replace('http://', `http://reader:${SECRETS.inAddress}@`)}/simple/` },
    npm: { index: `${guarded.npm.address}/` },
    cargo: { index: `${guarded.cargo.address}/index/` },
    golang: { index: `${guarded.golang.address}/`, settings: { GOSUMDB: 'off' } },
  };
  const listen = `127.0.0.1:${await freePort()}`;
  address = `http://${listen}`;
  await writeFile(join(folder, 'granary.yaml'), JSON.stringify({ upstreams, pullThrough: { ecosystems: Object.keys(upstreams) }, data: 'data' }));
  running = opened.use(startGranary(granaryArgv('up', '--config', join(folder, 'granary.yaml'), '--listen', listen, '--json'), settings()));
  await running.saidThat(/^\{"artifacts":/m);
});

it(
  'shows every upstream what its package manager would, and says it nowhere else',
  async () => {
    const served: string[] = [];
    for (const path of ['pypi/simple/wick/', 'npm/wick', 'npm/wick/-/wick-1.0.0.tgz', 'cargo/wi/ck/wick', 'cargo/crates/wick/wick-1.0.0.crate']) {
      const response = await fetch(`${address}/pull/${path}`);
      served.push(await response.text());
      expect([path, response.status]).toEqual([path, 200]);
    }
    // What isn't there is answered by upstream, too.
    served.push(await (await fetch(`${address}/pull/golang/mod.example/wick/@v/list`)).text(), await (await fetch(`${address}/pull/npm/none`)).text());
    const env = { ...granaryEnvironment(), ...settings() };
    const doctor = await mustRun(granaryArgv('doctor', '--config', join(folder, 'granary.yaml'), '--json'), { env }).catch(String);
    served.push(JSON.stringify(doctor), running.said(), await (await fetch(`${address}/metrics`)).text());

    const shown = Object.entries(guarded).map(([id, { shown: all }]) => [id, [...all]]);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(Object.entries(SHOWN).map(([id, authorization]) => [id, [authorization]])));
    const secrets = Object.values(SECRETS).flatMap((secret) => [secret, btoa(`reader:${secret}`)]);
    for (const text of [...served, ...(await textsBelow(join(folder, 'data')))]) for (const secret of secrets) expect(text).not.toContain(secret);
  },
  TEST_MS,
);

async function writeHome(): Promise<void> {
  await mkdir(join(home(), '.cargo'), { recursive: true });
  const npm = new URL(guarded.npm.address).host;
  await writeFile(join(home(), '.npmrc'), `//${npm}/:_authToken=$\{UPSTREAM_TOKEN}\n`);
  await writeFile(join(home(), '.cargo/config.toml'), `[registries.team]\nindex = "sparse+${guarded.cargo.address}/index/"\n`);
  await writeFile(join(home(), '.cargo/credentials.toml'), `[registries.team]\ntoken = "${SECRETS.inCargo}"\n`);
  await writeFile(join(home(), '.netrc'), `machine 127.0.0.1 login reader password ${SECRETS.inNetrc}\n`);
}

/** Each has something called wick. */
async function openUpstreams(opened: AsyncDisposableStack): Promise<typeof guarded> {
  const pypi = opened.use(await openLoopbackUpstream());
  pypi.publish({ project: 'wick', fileName: 'wick-1.0.tar.gz', bytes: randomBytes(100), uploadTime: PUBLISHED_AT });
  const npm = await openLoopbackNpm();
  opened.defer(() => npm.close());
  const dist = { tarball: '', integrity: '', shasum: '' };
  const release = { name: 'wick', versions: { '1.0.0': { name: 'wick', version: '1.0.0', dist } }, _attachments: { it: { data: btoa('wick') } } };
  await fetch(`${npm.registry}wick`, { method: 'PUT', body: JSON.stringify(release) });
  const cargo = opened.use(await openLoopbackCrates());
  cargo.publish({ name: 'wick', version: '1.0.0', deps: [], features: {}, bytes: randomBytes(100), publishedAt: PUBLISHED_AT });
  const modules = createServer((_request, response) => response.end('v1.0.0\n'));
  await new Promise<void>((resolve) => modules.listen(0, '127.0.0.1', resolve));
  opened.defer(() => void modules.close());
  const golang = `http://127.0.0.1:${(modules.address() as AddressInfo).port}`;
  const guard = async (target: string, authorization: string) => opened.use(await openGuarded(target, authorization));
  return {
    pypi: await guard(pypi.index, SHOWN.pypi),
    npm: await guard(npm.registry, SHOWN.npm),
    cargo: await guard(cargo.index, SHOWN.cargo),
    golang: await guard(golang, SHOWN.golang),
  };
}

async function textsBelow(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')));
}
