import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentBody, parseSha256 } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { clientSuite } from './client-suite.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { readIndexPage } from './index-page.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { addressOf, exported, homeOn, type Remedies, remediesOf, succeeded } from './island-clients.ts';
import { type LoopbackSite, makeLoopbackSite } from './loopback-site.ts';
import { makeHome } from './python-home.ts';
import { type RunningMirror, startMirror } from './running-mirror.ts';

const SET_UP_MS = 900_000;
const TEST_MS = 240_000;
/** What the issue promises, with the interval of polling that holds by default. */
const SHOWN_WITHIN_MS = 120_000;

let folder = '';
let site: LoopbackSite;
/** When everything was held, and upstream had not changed yet. */
let before = '';

const suite = clientSuite({ name: 'clients', reason: whyNoIsland(), timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  site = opened.use(await makeLoopbackSite(folder));
});

describe.skipIf(suite.isSkipped)(suite.title('a mirror whose upstream moves on'), () => {
  let running: RunningMirror;
  let address = '';
  let lockBefore = '';
  beforeAll(async () => {
    lockBefore = await lockThrough(site.upstream.index);
    running = await startMirror(site.configFile);
    ({ address, before } = running);
  }, SET_UP_MS);
  afterAll(async () => running?.stop());

  it(
    'shows a new release, a yank and a deletion within two minutes, without a restart',
    async () => {
      const { upstream, next } = site;
      const changedAt = performance.now();
      for (const path of [next.sdist, next.wheel]) upstream.publishPath(path, { project: 'wick', uploadTime: new Date().toISOString() });
      for (const fileName of ['ember-1.1-py3-none-any.whl', 'ember-1.1.tar.gz']) upstream.yank(fileName, 'sets fire to things');
      for (const fileName of ['tallow-1.0-py3-none-any.whl', 'tallow-1.0.tar.gz']) upstream.remove(fileName);
      const shown = async () => ({
        wick: (await standing('wick', '1.1')) === false,
        ember: await standing('ember', '1.1'),
        tallow: await standing('tallow', '1.0'),
        // What resolvers fall back to is fetched too.
        emberBefore: await standing('ember', '1.0'),
        tallowBefore: await standing('tallow', '0.9'),
      });

      let now = await shown();
      while (
        performance.now() - changedAt < SHOWN_WITHIN_MS &&
        !(now.wick && now.ember && now.tallow && now.emberBefore === false && now.tallowBefore === false)
      ) {
        await sleep(500);
        now = await shown();
      }

      console.log(`shown ${((performance.now() - changedAt) / 1000).toFixed(0)} s after upstream changed`);
      expect(now).toEqual({
        wick: true,
        ember: 'sets fire to things',
        tallow: expect.stringContaining('removed upstream'),
        emberBefore: false,
        tallowBefore: false,
      });
    },
    SHOWN_WITHIN_MS + TEST_MS,
  );

  it(
    'has the registry as it stood before in a view as of then',
    async () => {
      const asOf = `${address}/as-of/${before}/pypi/simple/`;

      const ember = await readIndexPage(asOf, 'ember');

      expect(ember.map(({ filename }) => filename)).toContain('ember-1.1-py3-none-any.whl');
      expect(ember.every(({ yanked }) => yanked === false)).toBe(true);
      expect((await readIndexPage(asOf, 'wick')).map(({ filename }) => filename)).not.toContain('wick-1.1-py3-none-any.whl');
      expect(await lockThrough(asOf)).toBe(lockBefore);
      expect(lockBefore).toContain('ember==1.1');
    },
    TEST_MS,
  );

  it(
    'refuses by address, in the view as of then, what came later',
    async () => {
      const home = await makeHome(folder);
      const wick = (await readIndexPage(`${address}/pypi/simple/`, 'wick')).find(({ filename }) => filename === 'wick-1.1-py3-none-any.whl')?.url ?? '';

      const { said } = await home.uv(['pip', 'install', `wick @ ${wick.replace('/pypi/', `/as-of/${before}/pypi/`)}`]);

      expect(said).toContain(`403 Granary as-of ${before} has no pypi/wick 1.1 wick-1.1-py3-none-any.whl: it was not there then`);
    },
    TEST_MS,
  );

  it(
    'gives locks the versions and hashes that upstream gives now',
    async () => {
      const lock = await lockThrough(`${address}/pypi/simple/`);

      expect(lock).toBe(await lockThrough(site.upstream.index));
      expect(lock).toMatch(/ember==1\.0.*tallow==0\.9.*wick==1\.1/s);
    },
    TEST_MS,
  );

  /** Whether the mirror's index has the wheel yanked; undefined when it doesn't list it. */
  async function standing(project: string, version: string): Promise<boolean | string | undefined> {
    const files = await readIndexPage(`${address}/pypi/simple/`, project);
    return files.find(({ filename }) => filename === `${project}-${version}-py3-none-any.whl`)?.yanked;
  }
});

describe.skipIf(suite.isSkipped)(suite.title('with every upstream unreachable, on empty caches'), () => {
  let island: Island;
  let remedies: Remedies;
  let askedBefore = 0;
  beforeAll(async () => {
    askedBefore = site.upstream.requests.length;
    island = await openIsland(site.dataDir);
    remedies = await remediesOf(site.configFile);
  }, SET_UP_MS);
  afterAll(async () => island?.[Symbol.asyncDispose]());

  it(
    'pip installs a project with hashes',
    async () => {
      const home = await homeOn(island, 'all', folder);

      const ran = await home.pip('install', '--require-hashes', '-r', join(home.take(site.lamp), 'requirements.txt'));

      succeeded(ran, 'pip install --require-hashes');
      expect(await home.installed()).toEqual(['lantern==1.0', 'oil==1.0', 'wick==1.0']);
    },
    TEST_MS,
  );

  it(
    'uv pip sync installs a project with hashes',
    async () => {
      const home = await homeOn(island, 'all', folder);

      const ran = await home.uv(['pip', 'sync', '--require-hashes', join(home.take(site.lamp), 'requirements.txt')]);

      succeeded(ran, 'uv pip sync --require-hashes');
      expect(await home.installed()).toEqual(['lantern==1.0', 'oil==1.0', 'wick==1.0']);
    },
    TEST_MS,
  );

  it.each(['all', 'verified'] as const)(
    'uv sync installs a project with the lock as it was made upstream, from %s',
    async (view) => {
      const home = await homeOn(island, view, folder);
      const project = home.take(site.stove);

      const ran = await home.uv(['sync'], project);

      succeeded(ran, `uv sync from ${view}`);
      expect(await home.installed(join(project, '.venv'))).toEqual(['ember==1.1', 'lantern==1.0', 'tallow==1.0', 'wick==1.0']);
    },
    TEST_MS,
  );

  it(
    'uv sync --frozen and --locked want the addresses of the lock; each remedy that doctor names makes them ours',
    async () => {
      const { relock, keepLock } = remedies;
      const home = await homeOn(island, 'all', folder);
      const [relocked, kept] = [home.take(site.stove), home.take(site.stove)];

      const frozen = await home.uv(['sync', '--frozen'], kept);
      const locked = await home.uv(['sync', '--locked'], kept);

      expect(frozen.said).toContain(new URL(site.upstream.index).host);
      expect([frozen.code === 0, locked.code === 0]).toEqual([false, false]);
      succeeded(await home.shell(relock, relocked), relock);
      expect(await exported(home, relocked)).toBe(await exported(home, site.stove));
      succeeded(await home.uv(['sync', '--frozen'], relocked), 'uv sync --frozen of the lock made ours');
      succeeded(await home.uv(['sync', '--locked'], relocked), 'uv sync --locked of the lock made ours');
      succeeded(await home.shell(keepLock, kept), keepLock);
      expect(await readFile(join(kept, 'uv.lock'), 'utf8')).toBe(await readFile(join(site.stove, 'uv.lock'), 'utf8'));
      for (const project of [relocked, kept])
        expect(await home.installed(join(project, '.venv'))).toEqual(['ember==1.1', 'lantern==1.0', 'tallow==1.0', 'wick==1.0']);
    },
    TEST_MS,
  );

  it(
    'pylock.toml wants its own addresses too; the remedy that doctor names makes them ours',
    async () => {
      const { remakePylock } = remedies;
      const home = await homeOn(island, 'all', folder);
      const project = home.take(site.stove);
      const sync = ['pip', 'sync', '--preview-features', 'pylock', join(project, 'pylock.toml')];

      const asItWas = await home.uv(sync);
      const made = await home.shell(remakePylock, project);
      const ours = await home.uv(sync);

      expect(asItWas.said).toContain(new URL(site.upstream.index).host);
      succeeded(made, remakePylock);
      succeeded(ours, 'uv pip sync pylock.toml');
      expect(await home.installed()).toEqual(['ember==1.1', 'lantern==1.0', 'tallow==1.0', 'wick==1.0']);
    },
    TEST_MS,
  );

  it(
    'a lock whose addresses are changed as docs/clients.md has it installs, and so does a pylock.toml',
    async () => {
      const guide = await readFile(join(import.meta.dirname, '../../docs/clients.md'), 'utf8');
      const lines = guide.match(/^sed -i .*$/gm) ?? [];
      const home = await homeOn(island, 'all', folder);
      const project = home.take(site.stove);

      succeeded(await home.shell(lines.join('\n'), project), lines.join('; '));
      succeeded(await home.uv(['sync', '--frozen'], project), 'uv sync --frozen');
      succeeded(await home.uv(['pip', 'sync', '--preview-features', 'pylock', join(project, 'pylock.toml')]), 'uv pip sync pylock.toml');

      expect(lines.length).toBe(2);
      expect(await exported(home, project)).toBe(await exported(home, site.stove));
      expect(await home.installed(join(project, '.venv'))).toEqual(await home.installed());
    },
    TEST_MS,
  );

  it(
    'settings in files do as well as settings in the environment',
    async () => {
      const home = await makeHome(folder, { runner: island.run });
      const index = `${island.address}/pypi/simple/`;
      await mkdir(join(home.folder, '.config/uv'), { recursive: true });
      await writeFile(join(home.folder, '.config/uv/uv.toml'), `[[index]]\nurl = "${index}"\ndefault = true\n`);

      succeeded(await home.pip('config', 'set', 'global.index-url', index), 'pip config set');
      succeeded(await home.pip('install', 'lantern'), 'pip install');
      succeeded(await home.uv(['pip', 'install', 'ember']), 'uv pip install');

      expect(await home.installed()).toEqual(['ember==1.0', 'lantern==1.0', 'wick==1.1']);
    },
    TEST_MS,
  );

  it(
    'verified has nothing of what was not reproduced, and says so by address as well',
    async () => {
      const home = await homeOn(island, 'verified', folder);
      const requirements = join(home.take(site.lamp), 'requirements.txt');
      const refused = await addressOf(island, { project: 'oil', name: /\.whl$/, view: 'verified' });

      const results = [await home.pip('install', '--require-hashes', '-r', requirements), await home.uv(['pip', 'sync', '--require-hashes', requirements])];
      const [pip, uv] = [await home.pip('install', refused), await home.uv(['pip', 'install', `oil @ ${refused}`])];

      expect(results.map(({ code }) => code)).toEqual([1, 1]);
      for (const { said } of [pip, uv]) {
        expect(said).toMatch(/403 (Client Error: )?Granary policy verified refuses pypi\/oil 1\.0 oil-1\.0-py3-none-any\.whl: not-reproduced/);
        expect(said).toContain(`${island.address}/releases/`);
      }
      expect(await home.installed()).toEqual(['']);
    },
    TEST_MS,
  );

  it(
    'a new worker, which has the store alone, makes the same root filesystem and the same wheels',
    async () => {
      const data = join(folder, 'new-worker');
      const derived = join(site.dataDir, 'derived');
      await cp(site.dataDir, data, { recursive: true, filter: (source) => source !== derived });

      const ran = await island.run(granaryArgv('rebuild', 'pkg:pypi/lantern', '--json', '--data', data), { env: granaryEnvironment() });

      succeeded(ran, 'granary rebuild');
      const [rerun, ...others] = Reruns.parse(JSON.parse(ran.said.split('\n').find((line) => line.startsWith('{')) ?? '')).artifacts;
      expect([rerun?.purl, others]).toEqual(['pkg:pypi/lantern@1.0?file_name=lantern-1.0-py3-none-any.whl', []]);
      expect(rerun?.now).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(rerun?.now).toBe(rerun?.recorded);
      expect(await rootFilesystems(data)).toEqual(recordedRootFilesystems(site.dataDir));
      await rm(data, { recursive: true });
    },
    SET_UP_MS,
  );

  it('nobody reached the upstream, which runs on outside', async () => {
    const interfaces = await island.run(['cat', '/proc/net/dev', '/proc/net/route']);
    const asked = await island.run([process.execPath, '-e', `fetch(${JSON.stringify(site.upstream.index)}).catch((error) => console.log(error.cause.code))`]);

    expect(interfaces.said.match(/^\s*\w+:/gm)).toEqual([expect.stringContaining('lo:')]);
    expect(asked.said).toBe('ECONNREFUSED\n');
    expect(site.upstream.requests.length).toBe(askedBefore);
  });
});

const Reruns = z.object({ artifacts: z.array(z.object({ purl: z.string(), recorded: z.string(), now: z.string() })) });

/** By digest, as they lie unpacked in a data folder. */
async function rootFilesystems(data: string): Promise<readonly string[]> {
  return (await readdir(join(data, 'derived/rootfs'))).filter((name) => parseSha256(name) !== undefined);
}

/** By digest, as the ledger has them. */
function recordedRootFilesystems(data: string): readonly string[] {
  using catalog = openSqliteCatalog(join(data, 'derived/catalog.sqlite'), { mode: 'read' });
  return [...catalog.all('environment')].map(({ entry }) => EnvironmentBody.parse(entry.body).rootfs);
}

/** Versions and hashes of a lock that uv makes now, from nothing. */
async function lockThrough(index: string): Promise<string> {
  const home = await makeHome(folder, { settings: { UV_DEFAULT_INDEX: index } });
  const project = home.take(site.loose);
  const ran = await home.uv(['lock'], project);
  expect(ran.code, ran.said).toBe(0);
  return await exported(home, project);
}
