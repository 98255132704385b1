import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, uvPath } from '../machine/uv.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { addressOf, exported, homeOn, type Remedies, remediesOf, succeeded } from './island-clients.ts';
import { makeHome } from './python-home.ts';
import { mustRun, type Ran, run } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'granary-live-'));
const data = join(folder, 'data');
const config = join(folder, 'granary.yaml');
const webService = join(folder, 'examples/web-service');
const httpClient = join(folder, 'examples/http-client');

let island: Island;
let remedies: Remedies;
/** Addresses of true registries, as this machine's package managers know them. */
let upstreams: readonly string[] = [];
/** A lock of the same project that knew no other, made upstream. */
let lockedUpstream = '';

beforeAll(async () => {
  const reason = whyNoIsland();
  if (reason !== undefined) throw new Error(reason);
  for (const name of ['granary.yaml', 'examples']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true, filter: (path) => !/(uv\.lock|requirements\.txt)$/.test(path) });
  }
  const clients = { ...cleanEnvironment(), PATH: `${dirname(await uvPath())}${delimiter}${process.env['PATH']}` };
  report('locks', await mustRun([join(folder, 'examples/make-lock')], { env: clients }));
  lockedUpstream = await exported(await makeHome(folder), httpClient);
  report('up --once, cold', await mustRun(granaryArgv('up', '--once', '--json', '--config', config, '--data', data, '--listen', '127.0.0.1:0'), granaryRun()));
  const { said } = await mustRun(granaryArgv('doctor', '--json', '--config', config), granaryRun());
  upstreams = [...new Set([...said.matchAll(/https?:\/\/[^\s",]+/g)].map(([url]) => url))].filter((url) => !url.startsWith('http://127.'));
  remedies = await remediesOf(config);
  island = await openIsland(data);
}, 1_800_000);
afterAll(async () => {
  await island?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe('with the true registries unreachable, on empty caches', () => {
  it('no upstream answers in there', async () => {
    const ask =
      'Promise.all(process.argv.slice(1).map((url) => fetch(url).then(() => url, () => undefined))).then((all) => console.log(all.filter(Boolean).length))';

    expect(upstreams.length).toBeGreaterThan(0);
    expect(await run([process.execPath, '-e', ask, ...upstreams], granaryRun())).toMatchObject({ said: `${upstreams.length}\n` });
    expect(await island.run([process.execPath, '-e', ask, ...upstreams], granaryRun())).toMatchObject({ said: '0\n' });
    expect((await island.run(['cat', '/proc/net/dev'])).said.match(/^\s*\w+:/gm)).toEqual([expect.stringContaining('lo:')]);
  });

  it('pip and uv install the project with hashes', async () => {
    const [byPip, byUv] = [await homeOn(island, 'all', folder), await homeOn(island, 'all', folder)];
    const requirements = join(byPip.take(webService), 'requirements.txt');

    installs(await byPip.pip('install', '--require-hashes', '-r', requirements), 'pip install --require-hashes');
    installs(await byUv.uv(['pip', 'sync', '--require-hashes', requirements]), 'uv pip sync --require-hashes');

    expect(await byPip.installed()).toEqual(await byUv.installed());
    expect(await byUv.installed()).toContainEqual(expect.stringMatching(/^flask==/));
  });

  it.each(['all', 'verified'] as const)('uv sync installs the locked project from %s', async (view) => {
    const home = await homeOn(island, view, folder);
    const project = home.take(httpClient);

    installs(await home.uv(['sync'], project), `uv sync from ${view}`);

    expect(readdirSync(join(project, '.venv/lib')).length).toBe(1);
    expect(await home.installed(join(project, '.venv'))).toContainEqual(expect.stringMatching(/^httpx==/));
  });
});

describe('what such clients need to know', () => {
  it('a lock made through the mirror has the versions and hashes of the one made upstream', async () => {
    const home = await homeOn(island, 'all', folder);
    const project = home.take(httpClient);
    rmSync(join(project, 'uv.lock'));

    installs(await home.uv(['lock'], project), 'uv lock from nothing');

    expect(await exported(home, project)).toBe(lockedUpstream);
  });

  it('uv sync --frozen fails on the addresses of the lock, and each remedy that doctor names installs', async () => {
    const home = await homeOn(island, 'all', folder);
    const [relocked, kept] = [home.take(httpClient), home.take(httpClient)];

    const frozen = await home.uv(['sync', '--frozen'], kept);
    expect(frozen.code, frozen.said).not.toBe(0);
    installs(await home.shell(remedies.keepLock, kept), remedies.keepLock);
    installs(await home.shell(remedies.relock, relocked), remedies.relock);
    installs(await home.uv(['sync', '--frozen'], relocked), 'uv sync --frozen of the lock made ours');
    installs(await home.shell(remedies.remakePylock, kept), remedies.remakePylock);

    expect(readFileSync(join(kept, 'uv.lock'), 'utf8')).toBe(readFileSync(join(httpClient, 'uv.lock'), 'utf8'));
    expect(await exported(home, relocked)).toBe(lockedUpstream);
    expect(await home.installed(join(kept, '.venv'))).toEqual(await home.installed(join(relocked, '.venv')));
  });

  it('everything else on the watch list that has a wheel installs by name', async () => {
    const home = await homeOn(island, 'all', folder);
    const names = [...readFileSync(config, 'utf8').matchAll(/pkg:pypi\/([a-z-]+)\b(?!@)/g)].map(([, name = '']) => name);

    installs(await home.uv(['pip', 'install', ...names]), `uv pip install of ${names.length} projects`);

    expect(names.length).toBeGreaterThanOrEqual(12);
  });

  it('what verified does not have is refused by address, and both clients print why', async () => {
    const home = await homeOn(island, 'verified', folder);
    const refused = await addressOf(island, { project: 'markupsafe', name: /cp311-cp311-manylinux[^/]*x86_64\.whl$/, view: 'verified' });

    const results = [await home.pip('install', refused), await home.uv(['pip', 'install', `markupsafe @ ${refused}`])];

    for (const { said } of results)
      expect(said).toMatch(/403 (Client Error: )?Granary policy verified refuses pypi\/markupsafe [^ ]+ markupsafe-[^ ]+\.whl: unsupported/);
  });
});

function granaryRun(): { readonly env: Record<string, string>; readonly cwd: string } {
  return { env: granaryEnvironment(), cwd: folder };
}

function installs(ran: Ran, what: string): void {
  succeeded(ran, what);
  report(what, ran);
}

function report(what: string, { seconds }: { readonly seconds: number }): void {
  console.log(`${what}: ${seconds.toFixed(1)} s`);
}
