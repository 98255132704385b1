import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm } from '@granary/ecosystem-npm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsClient } from '../machine/js-clients.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { succeeded } from './island-clients.ts';
import { type JsHome, makeJsHome, settingsFor } from './js-home.ts';
import { LOCK, type LockingClient } from './npm-site.ts';
import { mustRun, type Ran } from './run.ts';

/** A manifest, which its owner's client locks. */
const PRODUCT = join(import.meta.dirname, 'web-portal.json');
const CLIENTS: readonly LockingClient[] = ['npm11', 'pnpm', 'yarn1', 'yarn4'];
const folder = mkdtempSync(join(tmpdir(), 'granary-npm-'));
const config = join(folder, 'granary.yaml');
const lockOf = (client: LockingClient) => join(folder, client, LOCK[client].file);

let island: Island;
let remedies: readonly string[] = [];

beforeAll(async () => {
  const reason = whyNoIsland();
  if (reason !== undefined) throw new Error(reason);
  const { index = '' } = npm.discovery.parse((await mustRun(npm.discovery.argv)).said) ?? {};
  for (const client of CLIENTS) {
    writeProduct(join(folder, client));
    const owner = await makeJsHome(folder, { client, settings: { ...settingsFor(client, index), npm_config_fetch_retries: '2' } });
    installs(await owner.shell(LOCK[client].line, join(folder, client)), `${client}: ${LOCK[client].line}, upstream`);
  }
  writeFileSync(config, JSON.stringify({ watch: CLIENTS.map((client) => `${client}/${LOCK[client].file}`), data: 'data' }));
  report('up --once, cold', await mustRun(granaryArgv('up', '--once', '--json', '--config', config), { env: granaryEnvironment() }));
  const { said } = await mustRun(granaryArgv('doctor', '--config', config), { env: granaryEnvironment() });
  remedies = [...said.matchAll(/`([^`]+)`/g)].map(([, line = '']) => line);
  island = await openIsland(join(folder, 'data'));
}, 3_000_000);
afterAll(async () => {
  await island?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe('with the true registry unreachable, on empty caches', () => {
  it.each(CLIENTS)('what %s locked is a product of at least 600 releases, all of them in the registry', (client) => {
    const wish = npm.demand.wishOfLockfile(LOCK[client].file, readFileSync(lockOf(client)));

    const releases = wish.type === 'pins' ? wish.pins.length : 0;
    console.log(`${client}: ${releases} releases`);
    expect(releases).toBeGreaterThanOrEqual(600);
    expect(wish).toMatchObject({ notCovered: [] });
  });

  it.each([
    ['npm11', 'npm11', ['npm config set registry'], 'npm ci'],
    ['npm12', 'npm11', ['npm config set registry'], 'npm ci'],
    ['pnpm', 'pnpm', ['pnpm config set'], 'pnpm install --frozen-lockfile'],
    ['yarn4', 'yarn4', ['yarn config set --home npmRegistryServer', 'yarn config set --home unsafeHttpWhitelist'], 'yarn install --immutable'],
    ['yarn1', 'yarn1', ['yarn config set registry'], 'cp yarn.lock'],
  ] as const)('%s installs the product from the lock that %s made', async (client, lockedBy, settings, line) => {
    const home = await makeJsHome(folder, { client, runner: island.run });
    const project = home.take(join(folder, lockedBy));

    for (const setting of settings) succeeded(await home.shell(remedy(setting), project), setting);
    installs(await home.shell(client === 'yarn1' ? remedy(line) : line, project), `${client}: ${line}`);

    expect(readFileSync(join(project, LOCK[lockedBy].file), 'utf8')).toBe(readFileSync(lockOf(lockedBy), 'utf8'));
    expect(existsSync(join(project, 'node_modules/webpack/package.json'))).toBe(true);
    await buildsSomething(home, project);
  });

  it('a lock made through the mirror has the versions and digests of the one made upstream', async () => {
    const home = await homeOn('npm11');
    const project = writeProduct(join(home.folder, 'unlocked'));

    installs(await home.shell('npm install --package-lock-only', project), 'npm install --package-lock-only');

    expect(releasesIn(join(project, 'package-lock.json'))).toEqual(releasesIn(lockOf('npm11')));
  });

  it('nothing but the mirror is there', async () => {
    expect((await island.run(['cat', '/proc/net/dev'])).said.match(/^\s*\w+:/gm)).toEqual([expect.stringContaining('lo:')]);
  });
});

async function homeOn(client: JsClient): Promise<JsHome> {
  return await makeJsHome(folder, { client, runner: island.run, settings: settingsFor(client, `${island.address}/npm/`) });
}

function writeProduct(project: string): string {
  mkdirSync(project);
  copyFileSync(PRODUCT, join(project, 'package.json'));
  writeFileSync(join(project, '.yarnrc.yml'), 'nodeLinker: node-modules\n');
  return project;
}

/** What was installed is whole: the bundler bundles with it. */
async function buildsSomething(home: JsHome, project: string): Promise<void> {
  writeFileSync(join(project, 'entry.js'), "console.log(require('react').version);\n");
  const entry = JSON.stringify(join(project, 'entry.js'));
  const bundle = `require('webpack')({ mode: 'production', entry: ${entry} }, (error, stats) => console.log(error ?? stats.hasErrors()))`;
  writeFileSync(join(project, 'bundle.js'), bundle);
  expect(await home.shell('node bundle.js', project)).toMatchObject({ said: 'false\n' });
}

function remedy(begin: string): string {
  const line = remedies.find((known) => known.startsWith(begin));
  if (line === undefined) throw new Error(`doctor names no remedy that begins with ${begin}:\n${remedies.join('\n')}`);
  return line;
}

function releasesIn(lock: string): unknown {
  const wish = npm.demand.wishOfLockfile('package-lock.json', readFileSync(lock));
  return wish.type === 'pins' ? wish.pins : [];
}

function installs(ran: Ran, what: string): void {
  succeeded(ran, what);
  report(what, ran);
}

function report(what: string, { seconds }: { readonly seconds: number }): void {
  console.log(`${what}: ${seconds.toFixed(1)} s`);
}
