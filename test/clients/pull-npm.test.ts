import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { filesBelow } from '../kill/site-folder.ts';
import { type LoopbackNpm, openLoopbackNpm } from '../upstream/loopback-npm.ts';
import { type GranaryProcess, granaryArgv, granaryEnvironment, startGranary } from './granary-process.ts';
import { succeeded } from './island-clients.ts';
import { makeJsHome, settingsFor } from './js-home.ts';
import { publisher, sayings, writeProject } from './npm-site.ts';
import { mustRun } from './run.ts';
import { freePort, shownWithin } from './running-mirror.ts';

const SET_UP_MS = 300_000;
const TEST_MS = 120_000;
/** Nobody asks for anything for five seconds, and all of it is taken in. */
const TAKEN_IN_WITHIN_MS = 60_000;
const PUBLISHED = '2023-04-01T10:00:00.000Z';
const Times = z.object({ time: z.record(z.string(), z.string()) });

let folder = '';
let upstream: LoopbackNpm;
let running: GranaryProcess;
let address = '';
const configFile = () => join(folder, 'granary.yaml');

// One site from beginning to end: each test leaves it as the next expects it.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-pull-npm-'));
  upstream = await openLoopbackNpm();
  const publish = await publisher(folder, upstream);
  for (const [name, more] of [
    ['wick', {}],
    ['@lamp/oil', {}],
    ['lantern', { dependencies: { wick: '^1.0.0', '@lamp/oil': '^1.0.0' } }],
    ['ember', {}],
  ] as const)
    await publish({ name, version: '1.0.0', publishedAt: PUBLISHED, more });
  await writeFile(configFile(), JSON.stringify({ upstreams: { npm: { index: upstream.registry } }, pullThrough: { ecosystems: ['npm'] }, data: 'data' }));
  address = `http://127.0.0.1:${await freePort()}`;
  await start();
}, SET_UP_MS);
afterAll(async () => {
  await running?.stop();
  await upstream?.close();
  if (folder !== '') await rm(folder, { recursive: true });
});

it(
  'gives a client with a lock what it asks for by its release alone, and takes it in by the document of its package when nobody waits',
  async () => {
    // The first file that comes brings the keys of the registry, and is taken in at once.
    await installed(await locked('signed', { wick: '^1.0.0' }), 'pull');
    const project = await locked('first', { lantern: '^1.0.0' });
    const asked = upstream.requests.length;

    const said = await installed(project, 'pull');
    const meanwhile = upstream.requests.slice(asked);
    const shown = await shownWithin(TAKEN_IN_WITHIN_MS, unrecorded, 0);

    expect(said).toBe('lantern 1.0.0\n');
    expect(meanwhile.filter((request) => /^GET \/(lantern|@lamp%2foil)\/1\.0\.0$/.test(request))).toHaveLength(2);
    expect(meanwhile).not.toContain('GET /lantern');
    expect([shown, await notes()]).toEqual([0, []]);
    // By then all of it is on record, as for what is watched: with its time, and the keys of its signature.
    expect(await Promise.all(['lantern', 'wick', '@lamp%2foil'].map(timeOf))).toEqual(Array(3).fill(PUBLISHED));
    expect((await fetch(`${address}/npm/-/npm/v1/keys`)).status).toBe(200);
    expect(upstream.requests.slice(asked).filter((request) => request.endsWith('.tgz'))).toHaveLength(2);
  },
  TEST_MS + TAKEN_IN_WITHIN_MS,
);

it(
  'has in every other view at once what a client was just given, and what came with it',
  async () => {
    const project = await locked('second', { ember: '^1.0.0' });

    await installed(project, 'pull');

    expect((await fetch(`${address}/pull/npm/-/npm/v1/attestations/ember@1.0.0`)).status).toBe(200);
    expect(await timeOf('ember')).toBe(PUBLISHED);
    expect(await installed(project, 'all')).toBe('ember 1.0.0\n');
  },
  TEST_MS,
);

it(
  'keeps what it gave when it is killed before that is on record, and takes it in after the next start without fetching it again',
  async () => {
    const publish = await publisher(folder, upstream);
    await publish({ name: 'tallow', version: '1.0.0', publishedAt: PUBLISHED });
    const project = await locked('third', { tallow: '^1.0.0' });

    await installed(project, 'pull');
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
    const left = await notes();
    await start();

    expect([left.length, await shownWithin(TAKEN_IN_WITHIN_MS, notes, [])]).toEqual([1, []]);
    expect(await timeOf('tallow')).toBe(PUBLISHED);
    expect(await installed(project, 'all')).toBe('tallow 1.0.0\n');
    expect(upstream.requests.filter((request) => request.endsWith('/tallow-1.0.0.tgz'))).toHaveLength(1);
    await mustRun(granaryArgv('ledger', 'check', '--config', configFile()), { env: granaryEnvironment() });
  },
  TEST_MS + TAKEN_IN_WITHIN_MS,
);

async function start(): Promise<void> {
  running = startGranary(granaryArgv('up', '--config', configFile(), '--listen', new URL(address).host, '--json'));
  await running.saidThat(/^\{"artifacts":/m);
}

/** A project with the lock that npm made of it against upstream. */
async function locked(name: string, dependencies: Readonly<Record<string, string>>): Promise<string> {
  const project = await writeProject(join(folder, name), dependencies);
  const home = await makeJsHome(folder, { client: 'npm11', settings: settingsFor('npm11', upstream.registry) });
  succeeded(await home.shell('npm install --package-lock-only', project), 'npm install --package-lock-only');
  return project;
}

/** What the project prints when it is installed through a view, by a client that has nothing else. */
async function installed(project: string, view: string): Promise<string> {
  const home = await makeJsHome(folder, { client: 'npm11', settings: settingsFor('npm11', `${address}/${view}/npm/`) });
  const copy = home.take(project);
  succeeded(await home.shell('npm ci --replace-registry-host always --no-audit', copy), 'npm ci');
  return await sayings(copy);
}

async function timeOf(name: string): Promise<string | undefined> {
  return Times.parse(await (await fetch(`${address}/npm/${name}`)).json()).time['1.0.0'];
}

async function unrecorded(): Promise<number> {
  const metrics = await (await fetch(`${address}/metrics`)).text();
  return Number(/^granary_pull_unrecorded (\d+)$/m.exec(metrics)?.[1]);
}

async function notes(): Promise<readonly string[]> {
  return await filesBelow(join(folder, 'data/private/arrivals'));
}
