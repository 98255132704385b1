import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoredBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopbackModules, openLoopbackModules, type SampleModule } from '../upstream/loopback-modules.ts';
import { clientSuite, vanishedIn } from './client-suite.ts';
import { type GoHome, makeGoHome, whyNoGo } from './go-home.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { succeeded } from './island-clients.ts';
import { run } from './run.ts';
import { freePort, type RunningMirror, startMirror } from './running-mirror.ts';

const SET_UP_MS = 300_000;
const TEST_MS = 120_000;
const SHOWN_WITHIN_MS = 60_000;
const PSEUDO = 'v0.0.0-20230501100000-0123456789ab';
const OIL = sample({ path: 'mod.example/oil/v2', version: 'v2.0.0', publishedAt: '2023-05-01T10:00:00Z' });
const AT_FIRST: readonly SampleModule[] = [
  sample({ path: 'mod.example/wick', version: 'v1.0.0', publishedAt: '2023-03-01T10:00:00Z' }),
  sample({ path: 'mod.example/wick', version: 'v1.1.0', publishedAt: '2024-06-01T10:00:00Z' }),
  // Clients ask for it as !lantern.
  sample({ path: 'mod.example/Lantern', version: 'v1.0.0', publishedAt: '2023-04-01T10:00:00Z', requires: ['mod.example/wick v1.0.0'] }),
  OIL,
  sample({ path: 'mod.example/ember', version: PSEUDO, publishedAt: '2023-05-01T10:00:00Z' }),
  sample({ path: 'mod.example/tallow', version: 'v2.0.0+incompatible', publishedAt: '2023-06-01T10:00:00Z' }),
  // From before modules named all that they need.
  sample({ path: 'mod.example/wax', version: 'v1.0.0', publishedAt: '2023-07-01T10:00:00Z', go: '1.16', requires: ['mod.example/wick v1.1.0'] }),
];
const NEEDS = [
  'mod.example/Lantern v1.0.0',
  'mod.example/oil/v2 v2.0.0',
  `mod.example/ember ${PSEUDO}`,
  'mod.example/tallow v2.0.0+incompatible',
  'mod.example/wax v1.0.0',
];
const LATE = sample({ path: 'mod.example/late', version: 'v1.0.0', publishedAt: '2026-01-01T10:00:00Z', requires: ['mod.example/wick v1.1.0'] });
const FLINT = sample({ path: 'mod.example/flint', version: 'v1.0.0', publishedAt: '2023-07-01T10:00:00Z' });

let folder = '';
let stove = '';
let sumBefore = '';
let upstream: LoopbackModules;

const suite = clientSuite({ name: 'golang', reason: whyNoIsland() ?? whyNoGo(), timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  upstream = await openLoopbackModules(join(folder, 'upstream'));
  opened.defer(() => upstream.close());
  for (const module of AT_FIRST) await upstream.publish(module);
  stove = await writeProject('stove', NEEDS);
  succeeded(await makeGoHome(folder, upstream).go(['mod', 'tidy'], stove), 'go mod tidy');
  sumBefore = await readFile(join(stove, 'go.sum'), 'utf8');
  await writeSite(['stove/go.sum', 'pkg:golang/mod.example/wick', 'pkg:golang/mod.example/wick@v1.0.0']);
});

describe.skipIf(suite.isSkipped)(suite.title('a mirror of modules whose upstream moves on'), () => {
  let running: RunningMirror;
  let address = '';
  beforeAll(async () => {
    running = await startMirror(join(folder, 'granary.yaml'));
    ({ address } = running);
  }, SET_UP_MS);
  afterAll(async () => running?.stop());

  it(
    'gives the go.sum that upstream gives',
    async () => {
      const home = homeAt(`${address}/golang`);
      const project = home.take(stove);
      await rm(join(project, 'go.sum'));

      succeeded(await home.go(['mod', 'tidy'], project), 'go mod tidy through the mirror');

      expect(await readFile(join(project, 'go.sum'), 'utf8')).toBe(sumBefore);
    },
    TEST_MS,
  );

  it(
    'shows a new release, and keeps one that upstream deletes',
    async () => {
      await upstream.publish(sample({ path: 'mod.example/wick', version: 'v1.2.0', publishedAt: `${new Date().toISOString().slice(0, 19)}Z` }));
      await upstream.remove({ path: 'mod.example/wick', version: 'v1.0.0' });
      const changedAt = performance.now();
      while (performance.now() - changedAt < SHOWN_WITHIN_MS && !(await versions(`${address}/golang`)).includes('v1.2.0')) await sleep(500);

      expect(await versions(`${address}/golang`)).toBe('mod.example/wick v1.0.0 v1.1.0 v1.2.0');
    },
    SHOWN_WITHIN_MS + TEST_MS,
  );

  it(
    'has the versions of 2023 in a view as of then, and refuses later ones by address',
    async () => {
      const then = `${address}/as-of/2023-12-31T00:00:00Z/golang`;
      const home = homeAt(then);
      const project = home.take(await writeProject('loose', []));

      succeeded(await home.go(['get', 'mod.example/wick@latest', 'mod.example/Lantern@latest'], project), 'go get as of 2023');
      const later = await fetch(`${then}/mod.example/wick/@v/v1.1.0.zip`);

      expect(await readFile(join(project, 'go.mod'), 'utf8')).toContain('mod.example/wick v1.0.0');
      expect([later.status, await later.text()]).toEqual([403, expect.stringContaining('it was not there then')]);
    },
    TEST_MS,
  );

  /** As a user without a cache sees them. */
  async function versions(proxy: string): Promise<string> {
    const home = homeAt(proxy);
    const { said } = await home.go(['list', '-m', '-versions', 'mod.example/wick'], home.take(await writeProject('loose', [])));
    return said.trim();
  }
});

describe.skipIf(suite.isSkipped)(suite.title('when it is mirrored again, by a checksum database that grew'), () => {
  let said = '';
  beforeAll(async () => {
    await upstream.publish(LATE);
    // Known to the database as it was, and then replaced.
    await upstream.publish(FLINT);
    const owner = homeAt(upstream.proxy);
    succeeded(await owner.go(['mod', 'download', 'mod.example/flint@v1.0.0'], owner.take(await writeProject('loose', []))), 'go mod download of flint');
    await upstream.publish({ ...FLINT, files: { ...FLINT.files, 'flint.go': 'package flint\n\nconst Says = "something else"\n' } });
    // Held since long, by the hash that the database has of it.
    await upstream.publish({ ...OIL, files: { ...OIL.files, 'oil.go': 'package oil\n\nconst Says = "something else"\n' } });
    await writeSite([
      'stove/go.sum',
      'pkg:golang/mod.example/wick@v1.0.0',
      'pkg:golang/mod.example/late@v1.0.0',
      'pkg:golang/mod.example/flint@v1.0.0',
      'pkg:golang/mod.example/wick@v9.9.9',
      'lost/go.sum',
    ]);
    await mkdir(join(folder, 'lost'), { recursive: true });
    await writeFile(join(folder, 'lost/go.sum'), sumBefore.replaceAll('v2.0.0+incompatible', 'v2.9.0+incompatible'));
    const again = ['up', '--once', '--config', join(folder, 'granary.yaml'), '--listen', `127.0.0.1:${await freePort()}`];
    said = (await run(granaryArgv(...again), { env: granaryEnvironment() })).said;
  }, SET_UP_MS);

  it('refuses bytes that the database does not bear out, and says so', () => {
    expect(said).toMatch(/mod\.example\/flint@v1\.0\.0.*its bytes have h1:\S+, the checksum database sums\.example has h1:/);
  });

  it('raises the alarm over bytes that upstream replaced since, which no list tells', () => {
    expect(said).toMatch(/ALARM: upstream has other bytes of pkg:golang\/mod\.example\/oil\/v2@v2\.0\.0\?file_name=v2\.0\.0\.zip than those that are held/);
  });

  it('refuses for good a version that is not there, whether somebody or a lock names it', () => {
    expect(said).toMatch(/no-such-version: upstream has no mod\.example\/wick@v9\.9\.9/);
    expect(said).toMatch(/mod\.example\/tallow@v2\.9\.0\S*: upstream has no such version: it neither lists it nor has \S+; who names it must name another/);
    expect(said).not.toMatch(/tried again at.*(v9\.9\.9|v2\.9\.0)/);
  });
});

describe.skipIf(suite.isSkipped)(suite.title('with every upstream unreachable, on empty caches'), () => {
  let island: Island;
  beforeAll(async () => {
    island = await openIsland(join(folder, 'data'));
  }, SET_UP_MS);
  afterAll(async () => island?.[Symbol.asyncDispose]());
  const islander = (sumdb: string = upstream.sumdb): GoHome => makeGoHome(folder, { proxy: `${island.address}/golang`, sumdb, runner: island.run });

  it(
    'go downloads and builds a project from its go.sum',
    async () => {
      const home = islander();
      const project = home.take(stove);

      succeeded(await home.go(['mod', 'download'], project), 'go mod download');
      succeeded(await home.go(['mod', 'verify'], project), 'go mod verify');
      const { said } = await home.go(['run', '.'], project);

      expect(said).toBe('Lantern v1.0.0\noil v2.0.0\nember v0.0.0-20230501100000-0123456789ab\ntallow v2.0.0+incompatible\nwax v1.0.0\n');
      expect(await readFile(join(project, 'go.sum'), 'utf8')).toBe(sumBefore);
    },
    TEST_MS,
  );

  it(
    'go proves every module by the checksum database when there is no go.sum',
    async () => {
      const home = islander();
      const project = home.take(stove);
      await rm(join(project, 'go.sum'));

      succeeded(await home.go(['mod', 'tidy'], project), 'go mod tidy');

      expect(await readFile(join(project, 'go.sum'), 'utf8')).toBe(sumBefore);
    },
    TEST_MS,
  );

  it(
    'go proves them in any order, one by one, those of before and those of after the database grew',
    async () => {
      const modules = [
        'mod.example/late@v1.0.0',
        'mod.example/wick@v1.0.0',
        'mod.example/Lantern@v1.0.0',
        `mod.example/ember@${PSEUDO}`,
        'mod.example/wick@v1.1.0',
      ];

      for (const order of [modules, modules.toReversed()]) {
        const home = islander();
        const project = home.take(await writeProject('loose', []));
        for (const module of order) succeeded(await home.go(['mod', 'download', module], project), `go mod download ${module}`);
      }
    },
    TEST_MS,
  );

  it(
    'go believes nothing that the key of another database would have to bear out',
    async () => {
      const home = islander('sums.example+8666a838+AXL1ebjqEeHJ9AbFgITUgMBloVWwL/OD+m0x+ddF+77l'.replace('+8666a838+AXL1', '+4bcfcbe1+AXL2'));
      const { code, said } = await home.go(['mod', 'download', 'mod.example/wick@v1.0.0'], home.take(await writeProject('loose', [])));

      expect([code, said]).toEqual([1, expect.stringMatching(/GOSUMDB|verif/)]);
    },
    TEST_MS,
  );

  it(
    'go finds the newest commit of a module that nobody tagged, and no versions in its list',
    async () => {
      const home = islander();
      const project = home.take(await writeProject('loose', []));

      succeeded(await home.go(['get', 'mod.example/ember@latest'], project), 'go get of a commit');
      const { said } = await home.go(['list', '-m', '-versions', 'mod.example/ember'], project);
      const [list, latest] = await Promise.all(
        ['v/list', 'latest'].map(async (what) => await island.run(['curl', '-s', `${island.address}/golang/mod.example/ember/@${what}`])),
      );

      expect(await readFile(join(project, 'go.mod'), 'utf8')).toContain(`mod.example/ember ${PSEUDO}`);
      expect(said).toBe('mod.example/ember\n');
      expect(list?.said).toBe('');
      expect(JSON.parse(latest?.said ?? '')).toMatchObject({ Version: PSEUDO });
    },
    TEST_MS,
  );

  it(
    'go is told why verified has nothing of modules whose repositories nobody mirrors',
    async () => {
      const home = makeGoHome(folder, { proxy: `${island.address}/verified/golang`, sumdb: upstream.sumdb, runner: island.run });
      const project = home.take(await writeProject('loose', []));

      const listed = await home.go(['list', '-m', '-versions', 'mod.example/wick'], project);
      const named = await home.go(['mod', 'download', 'mod.example/wick@v1.0.0'], project);

      expect(listed.said).toMatch(
        /403 Granary policy verified refuses all \d+ files of golang\/mod\.example\/wick that are held: unsupported \(repository-not-mirrored\)/,
      );
      expect([named.code, named.said]).toEqual([
        1,
        expect.stringMatching(/403 Granary policy verified refuses .*: unsupported \(repository-not-mirrored\), see /),
      ]);
      const { said: zip } = await island.run(['curl', '-s', `${island.address}/verified/golang/mod.example/wick/@v/v1.0.0.zip`]);
      expect(zip).toMatch(/Granary policy verified refuses .*: unsupported \(repository-not-mirrored\), see /);
    },
    TEST_MS,
  );

  it(
    'go is told that something is not held, and does not wait for it',
    async () => {
      const home = islander();
      const { code, said } = await home.go(['mod', 'download', 'mod.example/unknown@v1.0.0'], home.take(await writeProject('loose', [])));

      expect([code, said]).toEqual([1, expect.stringMatching(/404 .*does not hold golang\/mod\.example\/unknown/)]);
    },
    TEST_MS,
  );
});

it.skipIf(suite.isSkipped)(suite.title('the ledger says what upstream did, and by whom each file was checked'), () => {
  using catalog = openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });

  const stored = [...catalog.all('stored')].map(({ entry }) => ({ subject: entry.subject, body: StoredBody.parse(entry.body) }));
  const unproven = stored.filter(
    ({ subject, body }) => /\.(mod|zip)$/.test(subject) && !body.evidence.some(({ check, state }) => check === 'sumdb' && state === 'checked'),
  );

  expect(vanishedIn(join(folder, 'data')).filter((line) => !line.includes('/oil/'))).toEqual(
    ['info', 'mod', 'zip'].map((kind) => `pkg:golang/mod.example/wick@v1.0.0?file_name=v1.0.0.${kind} gone`),
  );
  expect(vanishedIn(join(folder, 'data'))).toContain('pkg:golang/mod.example/oil/v2@v2.0.0?file_name=v2.0.0.zip replaced');
  expect(stored.filter(({ subject }) => /\.zip$/.test(subject)).length).toBeGreaterThan(7);
  expect(unproven).toEqual([]);
  expect(stored.filter(({ subject }) => subject.includes('/flint@') && subject.endsWith('.zip'))).toEqual([]);
});

function homeAt(proxy: string): GoHome {
  return makeGoHome(folder, { proxy, sumdb: upstream.sumdb });
}

async function writeSite(watch: readonly string[]): Promise<void> {
  const golang = { index: upstream.proxy, settings: { GOSUMDB: upstream.sumdb } };
  await writeFile(join(folder, 'granary.yaml'), JSON.stringify({ watch, upstreams: { golang }, follow: { intervalSeconds: 2 }, data: 'data' }));
}

/** A program that says which modules it is made of. */
async function writeProject(name: string, needs: readonly string[]): Promise<string> {
  const project = join(folder, name);
  await mkdir(project, { recursive: true });
  const paths = needs.map((need) => need.split(' ')[0] ?? '');
  const imports = paths.map((path) => `\t${packageName(path)} "${path}"\n`).join('');
  const says = paths.map((path) => `\tfmt.Println(${packageName(path)}.Says)\n`).join('');
  await writeFile(join(project, 'go.mod'), `module product.example/${name}\n\ngo 1.21\n${needs.map((need) => `\nrequire ${need}\n`).join('')}`);
  await writeFile(join(project, 'main.go'), `package main\n\nimport (\n\t"fmt"\n${imports})\n\nfunc main() {\n\tfmt.Print()\n${says}}\n`);
  return project;
}

interface SampleOptions extends Pick<SampleModule, 'path' | 'version' | 'publishedAt'> {
  readonly go?: string;
  readonly requires?: readonly string[];
}

/** A module that says what it is, and imports what it requires. */
function sample({ path, version, publishedAt, go = '1.21', requires = [] }: SampleOptions): SampleModule {
  const name = packageName(path);
  const imports = requires.map((require) => `import _ "${require.split(' ')[0]}"\n`).join('');
  const code = { [`${name}.go`]: `package ${name}\n\n${imports}\nconst Says = "${name} ${version}"\n` };
  const goMod = { 'go.mod': `module ${path}\n\ngo ${go}\n${requires.map((require) => `\nrequire ${require}\n`).join('')}` };
  return { path, version, publishedAt, files: version.endsWith('+incompatible') ? code : { ...goMod, ...code } };
}

function packageName(path: string): string {
  return path.split('/').findLast((element) => !/^v\d+$/.test(element)) ?? path;
}
