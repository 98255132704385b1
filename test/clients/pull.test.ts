import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pendingFacts } from '../kill/pending-facts.ts';
import { type LoopbackUpstream, openLoopbackUpstream } from '../upstream/loopback-upstream.ts';
import { buildRelease } from '../upstream/sample-projects.ts';
import { type GranaryProcess, granaryArgv, granaryEnvironment, startGranary } from './granary-process.ts';
import { readIndexPage } from './index-page.ts';
import { makeHome } from './python-home.ts';
import { mustRun } from './run.ts';
import { freePort } from './running-mirror.ts';

const SET_UP_MS = 300_000;
const TEST_MS = 120_000;
const BIG_BYTES = 8_000_000;
const CLIENTS = 20;

let folder = '';
let upstream: LoopbackUpstream;
let running: GranaryProcess;
let address = '';
const configFile = () => join(folder, 'granary.yaml');
const pendingFolder = () => join(folder, 'data/public/pending');

// One site from beginning to end: each test leaves it as the next expects it.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-pull-'));
  upstream = await openLoopbackUpstream();
  for (const [name, dependencies] of [
    ['wick', []],
    ['lantern', ['wick>=1']],
    ['matches', []],
    ['tinder', []],
    ['kindling', []],
  ] as const) {
    const { wheel, sdist } = await buildRelease(join(folder, 'built'), { name, version: '1.0', backend: 'flit_core', dependencies });
    for (const path of [sdist, wheel]) upstream.publishPath(path, { project: name });
  }
  for (const number of [1, 2, 3, 4, 5, 6]) publishBig(`big${number}`, BIG_BYTES);
  publishBig('huge', 2 * BIG_BYTES);
  const pullThrough = { ecosystems: ['pypi'], deny: ['pkg:pypi/match*'], maxArtifactBytes: '12MB', maxBytesPerDay: '60MB' };
  await writeFile(configFile(), JSON.stringify({ upstreams: { pypi: { index: upstream.index } }, pullThrough }));
  address = `http://127.0.0.1:${await freePort()}`;
  await start();
}, SET_UP_MS);
afterAll(async () => {
  await running?.stop();
  await upstream?.close();
  if (folder !== '') await rm(folder, { recursive: true });
});

it(
  'installs what nobody watched with pip and uv, while no other view has it',
  async () => {
    const others = ['', '/all', '/verified'].map((view) => `${address}${view}/pypi/simple/`);
    const before = await Promise.all(others.map((index) => readIndexPage(index, 'lantern')));

    const pip = await makeHome(folder);
    const ran = await pip.pip('install', '--no-cache-dir', '--index-url', `${address}/pull/pypi/simple/`, 'lantern');
    const uv = await makeHome(folder, { settings: { UV_DEFAULT_INDEX: `${address}/pull/pypi/simple/` } });
    await uv.uv(['pip', 'install', '--quiet', 'lantern']);

    expect(before).toEqual([[], [], []]);
    expect([ran.code, ran.said]).toEqual([0, expect.stringContaining('Successfully installed lantern-1.0 wick-1.0')]);
    expect([await pip.installed(), await uv.installed()]).toEqual(Array(2).fill(['lantern==1.0', 'wick==1.0']));
    // What came is held from then on, and only that.
    expect((await readIndexPage(`${address}/pypi/simple/`, 'lantern')).map(({ filename }) => filename)).toEqual(['lantern-1.0-py3-none-any.whl']);
    expect((await readIndexPage(`${address}/pull/pypi/simple/`, 'lantern')).map(({ filename }) => filename)).toHaveLength(2);
    const { said } = await mustRun(granaryArgv('status', '--config', configFile(), '--json'), { env: granaryEnvironment() });
    expect(said).not.toContain('lantern');
  },
  TEST_MS,
);

it(
  'fetches once what twenty clients ask for at once',
  async () => {
    const url = await addressOf('big1');

    const bodies = await Promise.all(Array.from({ length: CLIENTS }, async () => sha256(new Uint8Array(await (await fetch(url)).arrayBuffer()))));

    expect(new Set(bodies)).toEqual(new Set([digestIn(url)]));
    expect(upstream.requests.filter((path) => path.endsWith('/big1-1.0.tar.gz'))).toHaveLength(1);
  },
  TEST_MS,
);

it.each(['wrong-digest', 'truncated'] as const)(
  'gives nobody all of a file that upstream sends %s, and keeps nothing of it',
  async (fault) => {
    const url = await addressOf('big2');
    upstream.fault('big2-1.0.tar.gz', fault);

    await expect(fetch(url).then((response) => response.arrayBuffer())).rejects.toThrow();
    const project = fault === 'truncated' ? 'tinder' : 'kindling';
    const wheel = `${project}-1.0-py3-none-any.whl`;
    upstream.fault(wheel, fault);
    const home = await makeHome(folder, { settings: { UV_DEFAULT_INDEX: `${address}/pull/pypi/simple/` } });
    const failed = await home.uv(['pip', 'install', project]);
    const held = await Promise.all(['big2', project].map((name) => readIndexPage(`${address}/all/pypi/simple/`, name)));
    for (const fileName of ['big2-1.0.tar.gz', wheel]) upstream.fault(fileName, undefined);
    const mended = await home.uv(['pip', 'install', project]);

    expect([failed.code === 0, held, mended.code]).toEqual([false, [[], []], 0]);
    expect(failed.said).toMatch(/50[23] Granary does not hold/);
    await running.saidThat(/fetching pkg:pypi\/big2@1\.0\S* for a client: fetch .*/);
  },
  TEST_MS,
);

it(
  'refuses what policy does not allow, and what is too large, in one line, without asking upstream',
  async () => {
    const denied = await fetch(`${address}/pull/pypi/simple/matches/`);
    const huge = await fetch(await addressOf('huge'));

    expect([denied.status, denied.statusText]).toEqual([
      403,
      'Granary does not hold pypi/matches, and did not fetch it: pullThrough: in granary.yaml does not allow it',
    ]);
    expect([huge.status, huge.statusText]).toEqual([403, expect.stringContaining('16000000 bytes, and at most 12000000 are fetched for a client')]);
    expect(upstream.requests.filter((path) => /matches|huge-1/.test(path))).toEqual([]);
  },
  TEST_MS,
);

it(
  'leaves nothing half stored when it is killed in the middle of a file',
  async () => {
    const url = await addressOf('big3');
    upstream.fault('big3-1.0.tar.gz', 'half-and-hang');
    const response = await fetch(url);
    const reader = response.body?.getReader();
    await reader?.read();
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
    await expect(readAll(reader)).rejects.toThrow();
    upstream.fault('big3-1.0.tar.gz', undefined);

    await start();

    expect(await leftovers()).toEqual([]);
    expect(await readIndexPage(`${address}/all/pypi/simple/`, 'big3')).toEqual([]);
    expect(sha256(new Uint8Array(await (await fetch(url)).arrayBuffer()))).toBe(digestIn(url));
    await mustRun(granaryArgv('ledger', 'check', '--config', configFile()), { env: granaryEnvironment() });
  },
  TEST_MS,
);

it(
  'keeps what it gave when it is killed before that is in the ledger',
  async () => {
    const bytes = randomBytes(1000);
    upstream.publish({ project: 'brief', fileName: 'brief-1.0.tar.gz', bytes, uploadTime: '2024-01-01T00:00:00Z' });
    const digest = sha256(bytes);
    const path = `packages/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest.slice(4)}/brief-1.0.tar.gz`;

    const given = await (await fetch(`${address}/pull/pypi/${path}`)).arrayBuffer();
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
    // What the test before got may wait too.
    const pending = (await pendingFacts(pendingFolder())).filter(({ subject }) => subject.startsWith('pkg:pypi/brief'));
    await start();

    expect([sha256(new Uint8Array(given)), pending.map(({ kind }) => kind).toSorted()]).toEqual([digest, ['observed', 'stored']]);
    expect((await readIndexPage(`${address}/all/pypi/simple/`, 'brief')).map(({ filename }) => filename)).toEqual(['brief-1.0.tar.gz']);
    expect(sha256(new Uint8Array(await (await fetch(`${address}/all/pypi/${path}`)).arrayBuffer()))).toBe(digest);
    expect(await pendingFacts(pendingFolder())).toEqual([]);
    expect(upstream.requests.filter((asked) => asked.endsWith('/brief-1.0.tar.gz'))).toHaveLength(1);
    await mustRun(granaryArgv('ledger', 'check', '--config', configFile()), { env: granaryEnvironment() });
  },
  TEST_MS,
);

it(
  'says so when as much came as may come in a day, and goes on with what it has',
  async () => {
    // Each may be asked for but once: what came is held.
    const answers: string[] = [];
    for (const name of ['big4', 'big5', 'big6', 'big2']) {
      const response = await fetch(await addressOf(name));
      await response.arrayBuffer();
      answers.push(`${response.status} ${response.statusText}`);
    }
    // As much again, with other bytes: a new day's worth of files.
    for (const number of [7, 8, 9, 10]) {
      publishBig(`big${number}`, BIG_BYTES);
      const response = await fetch(await addressOf(`big${number}`));
      await response.arrayBuffer();
      answers.push(`${response.status} ${response.statusText}`);
    }

    expect(answers.slice(0, 4)).toEqual(Array(4).fill('200 OK'));
    expect(answers.at(-1)).toContain('503 Granary does not hold pypi/big10 1.0, and did not fetch it: as much as may be fetched for clients in a day');
    expect((await fetch(await addressOf('big1'))).status).toBe(200);
  },
  TEST_MS,
);

it(
  'installs what came when upstream is gone, and says that its index may be behind',
  async () => {
    await running.stop();
    await upstream.close();
    await start();

    const home = await makeHome(folder, { settings: { UV_DEFAULT_INDEX: `${address}/pull/pypi/simple/` } });
    const ran = await home.uv(['pip', 'install', 'lantern']);
    const index = await fetch(`${address}/pull/pypi/simple/lantern/`);
    const unknown = await fetch(`${address}/pull/pypi/simple/unheard-of/`);

    expect([ran.code, await home.installed()]).toEqual([0, ['lantern==1.0', 'wick==1.0']]);
    expect([index.status, index.headers.get('granary-state'), unknown.status]).toEqual([200, 'stale', 503]);
  },
  TEST_MS,
);

it(
  'is off unless the configuration says otherwise',
  async () => {
    await running.stop();
    await writeFile(configFile(), JSON.stringify({ upstreams: { pypi: { index: upstream.index } } }));
    await start();

    const response = await fetch(`${address}/pull/pypi/simple/lantern/`);

    expect([response.status, response.statusText]).toEqual([501, expect.stringContaining('pullThrough: in granary.yaml')]);
  },
  TEST_MS,
);

it(
  'is offered by a node of its own too, which hands what it found to a sequencer',
  async () => {
    await running.stop();
    await using again = await openLoopbackUpstream();
    for (const project of ['wick', 'lantern']) {
      const dist = join(folder, 'built/dist', `${project}-1.0`);
      for (const name of await readdir(dist)) if (/^lantern|^wick/.test(name)) again.publishPath(join(dist, name), { project });
    }
    const shared = { store: { folder: join(folder, 'shared') }, keys: join(folder, 'shared-keys'), upstreams: { pypi: { index: again.index } } };
    await writeFile(configFile(), JSON.stringify({ ...shared, pullThrough: { ecosystems: ['pypi'] } }));
    await using sequencer = startGranary(granaryArgv('sequencer', '--config', configFile(), '--data', join(folder, 'sequencer')));
    await sequencer.saidThat(/sequencing /);
    await using node = startGranary(granaryArgv('serve', '--config', configFile(), '--data', join(folder, 'node'), '--listen', new URL(address).host));
    await node.saidThat(/serving .* on /);

    const home = await makeHome(folder, { settings: { UV_DEFAULT_INDEX: `${address}/pull/pypi/simple/` } });
    const { code } = await home.uv(['pip', 'install', 'lantern']);

    expect([code, await home.installed()]).toEqual([0, ['lantern==1.0', 'wick==1.0']]);
    expect((await readIndexPage(`${address}/pypi/simple/`, 'lantern')).map(({ filename }) => filename)).toEqual(['lantern-1.0-py3-none-any.whl']);
  },
  TEST_MS,
);

async function start(): Promise<void> {
  running = startGranary(granaryArgv('up', '--config', configFile(), '--listen', new URL(address).host, '--json'));
  await running.saidThat(/^\{"artifacts":/m);
}

function publishBig(project: string, sizeBytes: number): void {
  upstream.publish({ project, fileName: `${project}-1.0.tar.gz`, bytes: randomBytes(sizeBytes), uploadTime: '2024-01-01T00:00:00Z' });
}

async function addressOf(project: string): Promise<string> {
  const [file] = await readIndexPage(`${address}/pull/pypi/simple/`, project);
  return file?.url ?? '';
}

/** The path of a file holds its digest. */
function digestIn(url: string): string {
  return /\/packages\/(..)\/(..)\/(.{60})\//.exec(url)?.slice(1).join('') ?? '';
}

async function readAll(reader: ReadableStreamDefaultReader | undefined): Promise<void> {
  while ((await reader?.read())?.done === false);
}

/** Files that somebody began and nobody ended. */
async function leftovers(): Promise<readonly string[]> {
  const names = await readdir(join(folder, 'data'), { recursive: true });
  return names.filter((name) => /(^|\/)(\.tmp|spool)\/[^/]+$/.test(name));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
