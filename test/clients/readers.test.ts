import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nginxMissing, startNginx } from '../deployment/nginx.ts';
import { openLoopbackCrates } from '../upstream/loopback-crates.ts';
import { openLoopbackModules } from '../upstream/loopback-modules.ts';
import { openLoopbackNpm } from '../upstream/loopback-npm.ts';
import { openLoopbackUpstream } from '../upstream/loopback-upstream.ts';
import { packageCrate } from '../upstream/sample-crates.ts';
import { buildRelease } from '../upstream/sample-projects.ts';
import { makeCargoHome, whyNoCargo } from './cargo-home.ts';
import { clientSuite } from './client-suite.ts';
import { whyNoGo } from './go-home.ts';
import { type GranaryProcess, granaryArgv, granaryEnvironment, startGranary } from './granary-process.ts';
import { succeeded } from './island-clients.ts';
import { makeJsHome, settingsFor } from './js-home.ts';
import { READING_CLIENTS, type RestrictedMirror } from './reader-clients.ts';
import { mustRun } from './run.ts';
import { freePort, shownWithin } from './running-mirror.ts';
import { openTlsFront, type TlsFront, whyNoTls } from './tls-front.ts';

const SET_UP_MS = 300_000;
const TEST_MS = 300_000;
const EFFECTIVE_WITHIN_MS = 60_000;
/** As each client says it; pip and yarn 1 say of what they may not have that there is no such thing. */
const REFUSED = /401|authenticat|no token found|Couldn't find package "wick"|satisfies the requirement wick \(from versions: none\)/i;
const PUBLISHED_AT = '2024-01-01T00:00:00Z';

let folder = '';
let running: GranaryProcess;
let front: TlsFront;
let mirror: RestrictedMirror;
let address = '';
let token = '';
/** Everything that the commands said that may not say a token. */
const said: string[] = [];
const configFile = () => join(folder, 'granary.yaml');

const suite = clientSuite({ name: 'readers', reason: whyNoCargo() ?? whyNoGo() ?? whyNoTls(), timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  const { upstreams, sumdb } = await openUpstreams(opened);
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  front = opened.use(await openTlsFront(folder, { port, authorization: () => `Bearer ${token}` }));
  mirror = { address: `${front.address}/pull`, certificateFile: front.certificateFile, sumdb };
  const pullThrough = { ecosystems: Object.keys(upstreams) };
  await writeFile(configFile(), JSON.stringify({ upstreams, pullThrough, readers: 'registered', publicUrl: front.address, data: 'data' }));
  running = opened.use(startGranary(granaryArgv('up', '--config', configFile(), '--listen', `127.0.0.1:${port}`, '--json')));
  await running.saidThat(/^\{"artifacts":/m);
  token = await addReader('build farm');
});

describe.skipIf(suite.isSkipped)(suite.title('a mirror that only registered readers may read'), () => {
  it.each(READING_CLIENTS)(
    'gives $name what it asks for with a token, and nothing with another or none',
    async ({ install }) => {
      const wrong = `${token.slice(0, -8)}00000000`;

      const without = await install(folder, mirror, undefined);
      const mistaken = await install(folder, mirror, wrong);
      const right = await install(folder, mirror, token);

      succeeded(right.ran, 'with the token');
      for (const { ran } of [without, mistaken]) expect([ran.code, ran.said]).toEqual([expect.not.toBeOneOf([0]), expect.stringMatching(REFUSED)]);
      expect(right.committed.length).toBeGreaterThan(0);
      expect([...right.committed, ...mistaken.committed].join('\n')).not.toContain(token.slice(-64, -8));
    },
    TEST_MS,
  );

  it.each(READING_CLIENTS)(
    'sends $name elsewhere for files without its token going along',
    async ({ install }) => {
      const before = front.elsewhere.length;
      front.artifacts('elsewhere');
      const { ran } = await install(folder, mirror, token).finally(() => front.artifacts('here'));

      succeeded(ran, 'sent elsewhere');
      const asked = front.elsewhere.slice(before);
      expect(asked.length).toBeGreaterThan(0);
      for (const { authorization, cookie } of asked) expect([authorization, cookie]).toEqual([undefined, undefined]);
    },
    TEST_MS,
  );

  it(
    'lets nobody in any more whose token was removed, and others still',
    async () => {
      const other = await addReader('laptops');
      const before = await statuses(address, [token, other]);
      said.push((await granary('reader', 'list', '--json')).said, (await granary('reader', 'remove', 'laptops')).said);

      expect(before).toEqual([200, 200]);
      expect(await shownWithin(EFFECTIVE_WITHIN_MS, () => statuses(address, [token, other]), [200, 401])).toEqual([200, 401]);
    },
    TEST_MS,
  );

  it(
    'says of itself that it is restricted, and how',
    async () => {
      const { said: doctor } = await granary('doctor', '--json').catch((error: unknown) => ({ said: String(error) }));

      expect(doctor).toMatch(/"reader access","detail":"on: only who shows a token may read/);
    },
    TEST_MS,
  );

  it(
    'keeps a token nowhere: not in its data, not in what it says, and not in what it serves',
    async () => {
      for (const path of ['/', '/metrics', '/pull/npm/wick', '/pull/cargo/config.json', '/pull/pypi/simple/wick/', '/api/v1/keys'])
        said.push(await (await fetch(`${address}${path}`, { headers: { authorization: `Bearer ${token}` } })).text());
      said.push(running.said());
      const secret = token.slice(-64);
      const holding: string[] = [];
      for (const entry of await readdir(join(folder, 'data'), { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile() && (await readFile(path)).includes(secret)) holding.push(path);
      }

      expect(said.join('\n')).not.toContain(secret);
      expect(holding).toEqual([]);
    },
    TEST_MS,
  );
});

describe.skipIf(suite.isSkipped)(suite.title('a node that only serves'), () => {
  let sequencer: GranaryProcess;
  let node: GranaryProcess;
  let nodeAddress = '';
  const file = () => join(folder, 'shared.yaml');
  const atNode = () => ['--config', file(), '--data', join(folder, 'operator')];
  beforeAll(async () => {
    const shared = { store: { folder: join(folder, 'shared') }, keys: join(folder, 'shared-keys'), readers: 'registered' };
    await writeFile(file(), JSON.stringify(shared));
    nodeAddress = `http://127.0.0.1:${await freePort()}`;
    sequencer = startGranary(granaryArgv('sequencer', '--config', file(), '--data', join(folder, 'sequencer')));
    await sequencer.saidThat(/sequencing /);
    const listen = new URL(nodeAddress).host;
    node = startGranary(granaryArgv('serve', '--config', file(), '--data', join(folder, 'node'), '--listen', listen));
    await node.saidThat(/serving .* on /);
  }, SET_UP_MS);
  afterAll(async () => {
    await node?.stop();
    await sequencer?.stop();
  });

  it(
    'lets in whom a command added, and no longer whom it removed, though it sees nothing of the private side',
    async () => {
      const ready = async () => (await fetch(`${nodeAddress}/readyz`)).status;
      const before = await ready();
      const added = await mustRun(granaryArgv('reader', 'add', 'ci', '--json', ...atNode()), { env: granaryEnvironment() });
      const one: string = JSON.parse(added.said.slice(added.said.indexOf('{'))).token;
      const letIn = await shownWithin(EFFECTIVE_WITHIN_MS, () => statuses(nodeAddress, [one]), [200]);
      const readyThen = await ready();
      await mustRun(granaryArgv('reader', 'remove', 'ci', ...atNode()), { env: granaryEnvironment() });
      const removedAt = performance.now();
      const putOut = await shownWithin(EFFECTIVE_WITHIN_MS, () => statuses(nodeAddress, [one]), [401]);

      expect([before, letIn, readyThen, putOut]).toEqual([503, [200], 200, [401]]);
      expect(performance.now() - removedAt).toBeLessThan(EFFECTIVE_WITHIN_MS);
    },
    TEST_MS,
  );

  it.skipIf(nginxMissing() !== undefined)(
    `keeps nothing in the cache before it for those without a token${nginxMissing() === undefined ? '' : ` (skipped: ${nginxMissing()})`}`,
    async () => {
      const { host } = new URL(nodeAddress);
      await using nginx = await startNginx({ folder: join(folder, 'nginx'), port: await freePort(), nodes: [host, host] });
      const added = await mustRun(granaryArgv('reader', 'add', 'behind', '--json', ...atNode()), { env: granaryEnvironment() });
      const authorization = `Bearer ${JSON.parse(added.said.slice(added.said.indexOf('{'))).token}`;
      const page = `${nginx.address}/pypi/simple/`;
      const asked = async (headers: Record<string, string>) => (await fetch(page, { headers })).status;
      await shownWithin(EFFECTIVE_WITHIN_MS, () => asked({ authorization }), 200);

      expect([await asked({ authorization }), await asked({}), await asked({ authorization }), await asked({})]).toEqual([200, 401, 200, 401]);
      await mustRun(granaryArgv('reader', 'remove', 'behind', ...atNode()), { env: granaryEnvironment() });
    },
    TEST_MS,
  );
});

async function statuses(at: string, tokens: readonly string[]): Promise<readonly number[]> {
  return await Promise.all(tokens.map(async (one) => (await fetch(`${at}/`, { headers: { authorization: `Bearer ${one}` } })).status));
}

async function granary(...args: readonly string[]): ReturnType<typeof mustRun> {
  return await mustRun(granaryArgv(...args, '--config', configFile()), { env: granaryEnvironment() });
}

async function addReader(name: string): Promise<string> {
  const ran = await granary('reader', 'add', name, '--json');
  return JSON.parse(ran.said.slice(ran.said.indexOf('{'))).token;
}

/** Each has one package, that real tools made. */
async function openUpstreams(opened: AsyncDisposableStack) {
  const pypi = await openLoopbackUpstream();
  opened.defer(() => pypi.close());
  const { wheel } = await buildRelease(join(folder, 'built'), { name: 'wick', version: '1.0', backend: 'flit_core' });
  pypi.publishPath(wheel, { project: 'wick' });
  const npm = await openLoopbackNpm();
  opened.defer(() => npm.close());
  const owner = await makeJsHome(folder, { client: 'npm11', settings: settingsFor('npm11', npm.registry) });
  await writeFile(join(owner.folder, '.npmrc'), `${npm.registry.replace('http:', '')}:_authToken=anybody\n`);
  await writeFile(join(owner.folder, 'package.json'), JSON.stringify({ name: 'wick', version: '1.0.0' }));
  succeeded(await owner.shell('npm publish --access public'), 'npm publish');
  // yarn 4 takes nothing that is a few minutes old.
  npm.date('wick', '1.0.0', PUBLISHED_AT);
  const cargo = await openLoopbackCrates();
  opened.defer(() => cargo.close());
  const crate = { name: 'wick', version: '1.0.0', publishedAt: PUBLISHED_AT };
  cargo.publish(await packageCrate(join(folder, 'crates'), crate, makeCargoHome(folder, cargo)));
  const golang = await openLoopbackModules(join(folder, 'modules'));
  opened.defer(() => golang.close());
  const files = { 'go.mod': 'module mod.example/wick\n\ngo 1.21\n', 'wick.go': 'package wick\n' };
  await golang.publish({ path: 'mod.example/wick', version: 'v1.0.0', publishedAt: PUBLISHED_AT, files });
  const settings = { GOSUMDB: golang.sumdb };
  const upstreams = { pypi: { index: pypi.index }, npm: { index: npm.registry }, cargo: { index: cargo.index }, golang: { index: golang.proxy, settings } };
  return { upstreams, sumdb: golang.sumdb };
}
