import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoredBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsClient } from '../machine/js-clients.ts';
import { clientSuite, vanishedIn } from './client-suite.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { succeeded } from './island-clients.ts';
import { type JsHome, makeJsHome, settingsFor } from './js-home.ts';
import { makeNpmSite, type NpmSite, sayings, writeProject } from './npm-site.ts';
import { mustRun } from './run.ts';
import { type RunningMirror, shownWithin, startMirror } from './running-mirror.ts';

const SET_UP_MS = 600_000;
const TEST_MS = 180_000;
const SHOWN_WITHIN_MS = 60_000;
const IN_2023 = '2023-12-31T00:00:00Z';
/** Not what upstream replaced or deleted: locks of it are the same here and there. */
const LOOSE = { lantern: '^1.0.0', '@lamp/oil': '^1.0.0', ember: '^1.0.0' };

let folder = '';
let site: NpmSite;

const suite = clientSuite({ name: 'npm', reason: whyNoIsland(), timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  site = await makeNpmSite(folder);
  opened.defer(() => site.upstream.close());
});

describe.skipIf(suite.isSkipped)(suite.title('a mirror of npm packages whose upstream moves on'), () => {
  let running: RunningMirror;
  let address = '';
  let before = '';
  beforeAll(async () => {
    running = await startMirror(site.configFile);
    ({ address, before } = running);
  }, SET_UP_MS);
  afterAll(async () => running?.stop());

  it(
    'shows a new release, a deletion and other bytes under a known name, and keeps what it had',
    async () => {
      const { upstream } = site;
      await site.publish({ name: 'wick', version: '1.2.0', publishedAt: '2025-06-01T10:00:00.000Z' });
      upstream.unpublish('tallow', '0.9.1');
      await site.publish({ name: 'flint', version: '9.9.9', publishedAt: '2022-01-01T10:00:00.000Z' });
      upstream.replace('flint', '1.0.0', '9.9.9');
      upstream.unpublish('flint', '9.9.9');

      const expected = { wick: 'listed', tallow: 'removed', flint: 'removed' };

      expect(await shownWithin(SHOWN_WITHIN_MS, shown, expected)).toEqual(expected);
      expect((await document('tallow'))['dist-tags']).toEqual({ latest: '0.9.0' });
    },
    SHOWN_WITHIN_MS + TEST_MS,
  );

  it(
    'resolves as the registry did then in views as of then: a moment ago, and in 2023',
    async () => {
      const now = await lockThrough(`${address}/npm/`, await loose('now'));
      const then = await lockThrough(`${address}/as-of/${before}/npm/`, await loose('then'));
      const in2023 = await lockThrough(`${address}/as-of/${IN_2023}/npm/`, await loose('in-2023'));

      expect(versionsIn(now)).toEqual(['@lamp/oil 1.0.0', 'ember 1.1.0', 'glow 1.0.0', 'lantern 1.0.0', 'wick 1.2.0']);
      expect(versionsIn(then)).toEqual(['@lamp/oil 1.0.0', 'ember 1.1.0', 'glow 1.0.0', 'lantern 1.0.0', 'wick 1.1.0']);
      expect(versionsIn(in2023)).toEqual(['@lamp/oil 1.0.0', 'ember 1.0.0', 'glow 1.0.0', 'lantern 1.0.0', 'wick 1.0.0']);
      expect((await fetch(`${address}/as-of/${IN_2023}/npm/wick/-/wick-1.1.0.tgz`)).status).toBe(403);
    },
    TEST_MS,
  );

  it(
    'makes the locks that upstream makes but for the addresses, and each works with the other',
    async () => {
      const { registry } = site.upstream;
      const [ours, theirs] = [await loose('ours'), await loose('theirs')];

      const lockOfOurs = await lockThrough(`${address}/npm/`, ours);
      const lockOfTheirs = await lockThrough(registry, theirs);

      expect(lockOfOurs.replaceAll(`${address}/npm/`, registry)).toBe(lockOfTheirs);
      for (const client of ['npm11', 'npm12'] as const) {
        const [here, there] = [await homeOf(client, `${address}/npm/`), await homeOf(client, registry)];
        await installs(here, `npm ci --replace-registry-host ${registry}`, here.take(theirs), 'lantern 1.0.0\n@lamp/oil 1.0.0\nember 1.1.0\n');
        await installs(there, `npm ci --replace-registry-host ${address}/npm/`, there.take(ours), 'lantern 1.0.0\n@lamp/oil 1.0.0\nember 1.1.0\n');
      }
    },
    TEST_MS,
  );

  it(
    'makes a lock without addresses that installs from anywhere',
    async () => {
      const bare = await loose('bare');
      const [here, there] = [await homeOf('npm11', `${address}/npm/`), await homeOf('npm11', site.upstream.registry)];

      succeeded(await here.shell('npm install --package-lock-only --omit-lockfile-registry-resolved', bare), 'npm install');

      expect(await readFile(join(bare, 'package-lock.json'), 'utf8')).not.toContain('http');
      await installs(there, 'npm ci', there.take(bare), 'lantern 1.0.0\n@lamp/oil 1.0.0\nember 1.1.0\n');
    },
    TEST_MS,
  );

  async function shown(): Promise<Record<string, string>> {
    return { wick: await standing('wick', '1.2.0'), tallow: await standing('tallow', '0.9.1'), flint: await standing('flint', '1.0.0') };
  }
  async function standing(name: string, version: string): Promise<string> {
    const manifest = (await document(name)).versions[version];
    return manifest === undefined ? 'absent' : manifest.deprecated?.startsWith('removed upstream') ? 'removed' : 'listed';
  }
  async function document(name: string): Promise<{ readonly versions: Record<string, { readonly deprecated?: string }>; readonly 'dist-tags': object }> {
    return JSON.parse(await (await fetch(`${address}/npm/${name}`)).text());
  }
});

describe.skipIf(suite.isSkipped)(suite.title('with every upstream unreachable, on empty caches'), () => {
  let island: Island;
  let remedies: readonly string[] = [];
  let askedBefore = 0;
  beforeAll(async () => {
    askedBefore = site.upstream.requests.length;
    island = await openIsland(site.dataDir);
    const { said } = await mustRun(granaryArgv('doctor', '--config', site.configFile), { env: granaryEnvironment() });
    remedies = [...said.matchAll(/`([^`]+)`/g)].map(([, line = '']) => line);
  }, SET_UP_MS);
  afterAll(async () => island?.[Symbol.asyncDispose]());

  it.each(['npm11', 'npm12'] as const)(
    '%s ci installs a project from its lock, which names what upstream deleted and replaced since',
    async (client) => {
      const home = await homeOf(client);
      const project = home.take(site.projects.npm11);

      succeeded(await home.shell(remedy('npm config set registry')), 'npm config set registry');
      const asItWas = await home.shell('npm ci', project);
      succeeded(await home.shell(remedy('npm config set replace-registry-host')), 'npm config set replace-registry-host');

      expect([asItWas.code === 0, asItWas.said]).toEqual([false, expect.stringMatching(/ECONNREFUSED|EALLOWREMOTE/)]);
      await installs(home, 'npm ci', project, site.says);
    },
    TEST_MS,
  );

  it(
    'pnpm install --frozen-lockfile installs it',
    async () => {
      const home = await homeOf('pnpm');

      succeeded(await home.shell(remedy('pnpm config set')), 'pnpm config set');

      await installs(home, 'pnpm install --frozen-lockfile', home.take(site.projects.pnpm), site.says);
    },
    TEST_MS,
  );

  it(
    'yarn 4 install --immutable installs it',
    async () => {
      const home = await homeOf('yarn4');
      const project = home.take(site.projects.yarn4);

      for (const begin of ['yarn config set --home npmRegistryServer', 'yarn config set --home unsafeHttpWhitelist'])
        succeeded(await home.shell(remedy(begin), project), begin);

      await installs(home, 'yarn install --immutable', project, site.says);
    },
    TEST_MS,
  );

  it(
    'yarn 1 wants the addresses of its lock; the remedy that doctor names installs it and leaves the lock alone',
    async () => {
      const home = await homeOf('yarn1');
      const project = home.take(site.projects.yarn1);
      const locked = await readFile(join(project, 'yarn.lock'), 'utf8');
      succeeded(await home.shell(remedy('yarn config set registry')), 'yarn config set registry');

      const frozen = await home.shell('yarn install --frozen-lockfile', project);
      await installs(home, remedy('cp yarn.lock'), project, site.says);

      expect([frozen.code === 0, frozen.said]).toEqual([false, expect.stringContaining(new URL(site.upstream.registry).host)]);
      expect(await readFile(join(project, 'yarn.lock'), 'utf8')).toBe(locked);
      expect(await readFile(join(import.meta.dirname, '../../docs/clients.md'), 'utf8')).toContain(`\n${remedy('cp yarn.lock')}\n`);
    },
    TEST_MS,
  );

  it(
    'npm is told why verified has nothing of packages whose repositories nobody mirrors',
    async () => {
      const home = await makeJsHome(folder, { client: 'npm11', settings: settingsFor('npm11', `${island.address}/verified/npm/`), runner: island.run });
      const { code, said } = await home.shell('npm install wick', home.take(await writeProject(join(folder, 'judged'), {})));

      expect([code === 0, said]).toEqual([
        false,
        expect.stringMatching(/403 Granary policy verified refuses all \d+ files of npm\/wick that are held: unsupported \(repository-not-mirrored\), see /),
      ]);
    },
    TEST_MS,
  );

  it(
    'clients are given what they check with: keys, signatures and attestations',
    async () => {
      const home = await homeOf('npm11');
      const ask = async (path: string) =>
        JSON.parse(
          (await home.shell(`node -e 'fetch(process.argv[1]).then(async (page) => console.log(await page.text()))' ${island.address}/npm/${path}`)).said,
        );

      const keys = await ask('-/npm/v1/keys');
      const { dist } = await ask('@lamp%2foil/1.0.0');

      expect(dist.signatures[0].keyid).toBe(keys.keys[0].keyid);
      expect(await ask('-/npm/v1/attestations/@lamp%2foil@1.0.0')).toMatchObject({ attestations: [{ bundle: { of: '@lamp/oil@1.0.0' } }] });
      expect(await ask('-/package/wick/dist-tags')).toEqual({ latest: '1.2.0' });
    },
    TEST_MS,
  );

  it('what upstream did is on record, and so is what its signatures came to', () => {
    using catalog = openSqliteCatalog(join(site.dataDir, 'derived/catalog.sqlite'), { mode: 'read' });
    const oil = [...catalog.all('stored', { subjectPrefix: 'pkg:npm/%40lamp/oil' })].map(({ entry }) => StoredBody.parse(entry.body));

    expect(vanishedIn(site.dataDir)).toEqual([
      'pkg:npm/flint@1.0.0?file_name=flint-1.0.0.tgz replaced',
      'pkg:npm/tallow@0.9.1?file_name=tallow-0.9.1.tgz gone',
    ]);
    expect(oil).toMatchObject([
      { licence: 'MIT', evidence: expect.arrayContaining([expect.objectContaining({ check: 'npm-registry-signature', state: 'checked' })]) },
    ]);
  });

  it('upstream was asked for nothing', () => {
    expect(site.upstream.requests.slice(askedBefore)).toEqual([]);
  });

  async function homeOf(client: JsClient): Promise<JsHome> {
    return await makeJsHome(folder, { client, runner: island.run });
  }
  /** As it stands in what doctor prints, between backticks. */
  function remedy(begin: string): string {
    const line = remedies.find((known) => known.startsWith(begin));
    if (line === undefined) throw new Error(`doctor names no remedy that begins with ${begin}:\n${remedies.join('\n')}`);
    return line;
  }
});

async function homeOf(client: JsClient, registry: string): Promise<JsHome> {
  return await makeJsHome(folder, { client, settings: settingsFor(client, registry) });
}

async function loose(name: string): Promise<string> {
  return await writeProject(join(folder, `loose-${name}`), LOOSE);
}

/** The lock that npm makes now, from nothing. */
async function lockThrough(registry: string, project: string): Promise<string> {
  const home = await homeOf('npm11', registry);
  succeeded(await home.shell('npm install --package-lock-only', project), `npm install --package-lock-only from ${registry}`);
  return await readFile(join(project, 'package-lock.json'), 'utf8');
}

function versionsIn(lock: string): readonly string[] {
  const { packages }: { readonly packages: Record<string, { readonly version: string }> } = JSON.parse(lock);
  const installed = Object.entries(packages).filter(([location]) => location !== '');
  return installed.map(([location, { version }]) => `${location.replace('node_modules/', '')} ${version}`).sort();
}

async function installs(home: JsHome, line: string, project: string, says: string): Promise<void> {
  succeeded(await home.shell(line, project), `${home.client}: ${line}`);
  expect(await sayings(project)).toBe(says);
}
