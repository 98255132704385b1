import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkGitHost } from '@granary/driver-git-native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientSuite } from '../clients/client-suite.ts';
import { makeGoHome, whyNoGo } from '../clients/go-home.ts';
import { granaryArgv, granaryEnvironment, startGranary } from '../clients/granary-process.ts';
import { succeeded } from '../clients/island-clients.ts';
import { mustRun } from '../clients/run.ts';
import { freePort } from '../clients/running-mirror.ts';
import { type ForgeRepository, type LoopbackForge, openLoopbackForge } from '../upstream/loopback-forge.ts';
import { type LoopbackModules, openLoopbackModules } from '../upstream/loopback-modules.ts';
import { commitAll, downloadModules, writeFiles } from './go-repositories.ts';
import { judgedIn } from './judged.ts';

const SET_UP_MS = 300_000;
const TEST_MS = 120_000;
const FORGE = 'forge.example/owner';
const host = await checkGitHost();

let folder = '';
let product = '';
let upstream: LoopbackModules;

const suite = clientSuite({ name: 'golang-verified', reason: whyNoGo() ?? (host.ok ? undefined : host.why), timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  const forge = await openLoopbackForge(join(folder, 'forge'));
  opened.defer(() => forge.close());
  upstream = await openLoopbackModules(join(folder, 'upstream'));
  opened.defer(() => upstream.close());
  await makeModules(forge);
  const modules = ['ember.git@v1.0.0', 'ember.git@v1.1.0', 'flue.git@v1.0.0', 'ash.git@v1.0.0', 'soot.git@v1.0.0', 'slag.git@v1.0.0'];
  await downloadModules(
    modules.map((name) => `${FORGE}/${name}`),
    { folder, base: forge.base },
  );
  await makeKiln(forge);
  await plant();
  product = await makeProduct();
  const site = {
    data: 'data',
    watch: ['product/go.sum', ...['ash', 'soot', 'slag'].map((name) => `pkg:golang/${FORGE}/${name}.git@v1.0.0`), 'https://vanity.example/kiln'],
    upstreams: { golang: { index: upstream.proxy, settings: { GOSUMDB: upstream.sumdb } } },
    repositories: {
      mirror: 'named-by-packages',
      insteadOf: { 'https://forge.example/': forge.base, 'https://vanity.example/kiln': `${forge.base}owner/kiln.git` },
    },
  };
  await writeFile(join(folder, 'granary.yaml'), JSON.stringify(site));
  await mustRun(granaryArgv('up', '--once', '--config', join(folder, 'granary.yaml'), '--listen', '127.0.0.1:0'), { env: granaryEnvironment() });
});

describe.skipIf(suite.isSkipped)(suite.title('what is verified of Go modules'), () => {
  let address = '';
  let stop = async () => {};
  beforeAll(async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const running = startGranary(granaryArgv('up', '--config', join(folder, 'granary.yaml'), '--listen', listen, '--json'));
    stop = running.stop;
    await running.saidThat(/^\{"artifacts":/m);
    address = `http://${listen}/verified/golang`;
  }, SET_UP_MS);
  afterAll(() => stop());
  const judged = (module: string, file: string) => judgedIn(join(folder, 'data'), `pkg:golang/${module}?file_name=${file}`);
  const ask = async (path: string) => {
    const response = await fetch(`${address}/${path}`);
    return `${response.status} ${await response.text()}`;
  };

  it(
    'is enough for the real client to download and build a product, with the checksum database, on empty caches',
    async () => {
      const home = makeGoHome(folder, { proxy: address, sumdb: upstream.sumdb });
      const taken = home.take(product);

      succeeded(await home.go(['mod', 'download', '-x'], taken), 'go mod download of what is verified');
      succeeded(await home.go(['mod', 'verify'], taken), 'go mod verify');
      const built = await home.go(['run', '.'], taken);

      succeeded(built, 'go run');
      expect(built.said).toContain('ember v1.1.0, flue, kiln');
    },
    TEST_MS,
  );

  it(
    'is enough to add a module that no go.sum knows',
    async () => {
      const home = makeGoHome(folder, { proxy: address, sumdb: upstream.sumdb });
      const taken = home.take(await makeEmptyProject());

      succeeded(await home.go(['get', `${FORGE}/ember.git@latest`, 'vanity.example/kiln@latest'], taken), 'go get');

      expect(await readFile(join(taken, 'go.mod'), 'utf8')).toContain(`${FORGE}/ember.git v1.1.0`);
    },
    TEST_MS,
  );

  it('has the go.mod of a version that only the graph names, and lists no such version', async () => {
    expect(judged(`${FORGE}/ember.git@v1.0.0`, 'v1.0.0.zip')).toBeUndefined();
    expect(judged(`${FORGE}/ember.git@v1.0.0`, 'v1.0.0.mod')).toMatchObject({ verdict: { verdict: 'reproduced', rung: 'identical', tier: 'commit-tagged' } });
    expect(await ask(`${FORGE}/ember.git/@v/v1.0.0.mod`)).toMatch(/^200 module /);
    expect(await ask(`${FORGE}/ember.git/@v/list`)).toBe('200 v1.1.0\n');
    expect(await ask(`${FORGE}/ember.git/@latest`)).toBe('200 {"Version":"v1.1.0"}');
  });

  it('has a module of another name than its repository has, where that is watched under the name', () => {
    expect(judged('vanity.example/kiln@v1.0.0', 'v1.0.0.zip')).toMatchObject({
      verdict: { rung: 'identical-files', tier: 'commit-tagged' },
      source: { repository: 'pkg:git/vanity.example/kiln', evidence: 'tag' },
    });
    expect(judged('vanity.example/kiln@v1.0.0', 'v1.0.0.info')?.verdict).toMatchObject({ verdict: 'reproduced-normalized', rung: 'equivalent' });
  });

  it('lacks a version whose .mod has other bytes than the commit, though the checksum database agrees to it', async () => {
    expect(judged(`${FORGE}/soot.git@v1.0.0`, 'v1.0.0.mod')).toMatchObject({
      evidence: [{ check: 'sumdb', state: 'checked' }],
      verdict: { verdict: 'not-reproduced', cause: 'content-unexplained', findings: ['commit-lacks-files'] },
      residue: ['v1.0.0.mod content content-unexplained'],
    });
    expect(judged(`${FORGE}/soot.git@v1.0.0`, 'v1.0.0.zip')?.verdict?.verdict).toBe('reproduced-normalized');
    expect(await ask(`${FORGE}/soot.git/@v/v1.0.0.mod`)).toMatch(/^403 .*not-reproduced \(content-unexplained\)/);
    expect(await ask(`${FORGE}/soot.git/@v/list`)).toBe('200 ');
    expect(await ask(`${FORGE}/soot.git/@latest`)).toMatch(/^404 /);
  });

  it('lacks a version whose .info names another commit', async () => {
    expect(judged(`${FORGE}/ash.git@v1.0.0`, 'v1.0.0.info')).toMatchObject({ findings: expect.arrayContaining(['claimed-commit-differs']) });
    expect(judged(`${FORGE}/ash.git@v1.0.0`, 'v1.0.0.info')?.verdict?.verdict).toBe('not-reproduced');
    for (const kind of ['info', 'mod', 'zip']) expect(await ask(`${FORGE}/ash.git/@v/v1.0.0.${kind}`)).toMatch(/^403 /);
    expect(await ask(`${FORGE}/ash.git/@v/list`)).toMatch(/^403 /);
  });

  it('lacks a version whose .info has another time than the commit', async () => {
    expect(judged(`${FORGE}/slag.git@v1.0.0`, 'v1.0.0.info')).toMatchObject({
      verdict: { verdict: 'not-reproduced', cause: 'build-metadata' },
      findings: [],
      residue: ['v1.0.0.info content build-metadata'],
    });
    expect(await ask(`${FORGE}/slag.git/@v/list`)).toBe('200 ');
  });
});

async function makeModules(forge: LoopbackForge): Promise<void> {
  const [ember, flue, ash, soot, slag] = await Promise.all(['ember', 'flue', 'ash', 'soot', 'slag'].map((name) => forge.create(`owner/${name}`)));
  if (ember === undefined || flue === undefined || ash === undefined || soot === undefined || slag === undefined) return;
  await release(ember, 'ember', 'const Says = "ember v1.0.0"', 'v1.0.0');
  await release(ember, 'ember', 'const Says = "ember v1.1.0"', 'v1.1.0');
  // From before modules named all that they need: the graph has its requirement's go.mod too.
  await writeFiles(flue, { 'go.mod': `module ${FORGE}/flue.git\n\ngo 1.16\n\nrequire ${FORGE}/ember.git v1.0.0\n` });
  await release(flue, 'flue', `import "${FORGE}/ember.git"\n\nconst Says = ember.Says + ", flue"`, 'v1.0.0');
  await release(soot, 'soot', 'const Says = "soot"', 'v1.0.0');
  await release(slag, 'slag', 'const Says = "slag"', 'v1.0.0');
  await release(ash, 'ash', 'const Says = "ash"', 'v1.0.0');
  await release(ash, 'ash', 'const Says = "another ash"');
}

async function release(repository: ForgeRepository, name: string, text: string, ...tags: readonly string[]): Promise<void> {
  if (name !== 'flue') await writeFiles(repository, { 'go.mod': `module ${FORGE}/${name}.git\n\ngo 1.21\n` });
  await writeFiles(repository, { [`${name}.go`]: `package ${name}\n\n${text}\n` });
  newest.set(name, await commitAll(repository, name, ...tags));
}

/** The last commit of each repository. */
const newest = new Map<string, string>();

/** Nobody but its host says where it is kept; its .info says nothing of that. */
async function makeKiln(forge: LoopbackForge): Promise<void> {
  const kiln = await forge.create('owner/kiln');
  const files = { 'go.mod': 'module vanity.example/kiln\n\ngo 1.21\n', 'kiln.go': 'package kiln\n\nconst Says = "kiln"\n' };
  await writeFiles(kiln, files);
  await commitAll(kiln, 'kiln', 'v1.0.0');
  const seconds = Number((await kiln.git('log', '-1', '--format=%ct')).trim());
  const publishedAt = `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
  await upstream.publish({ path: 'vanity.example/kiln', version: 'v1.0.0', publishedAt, files });
}

/** What a proxy could say for itself: of what stands in a zip the commit speaks, too. */
async function plant(): Promise<void> {
  const fileOf = (name: string, kind: string) => join(folder, `upstream/proxy/${FORGE}/${name}.git/@v/v1.0.0.${kind}`);
  const change = async (file: string, make: (text: string) => string) => {
    const planted = make(await readFile(file, 'utf8'));
    await writeFile(file, planted, { mode: 0o644 });
  };
  await change(fileOf('soot', 'mod'), (text) => `${text}\n// planted\n`);
  await change(fileOf('slag', 'info'), (text) => JSON.stringify({ ...JSON.parse(text), Time: '2020-01-01T00:00:00Z' }));
  await change(fileOf('ash', 'info'), (text) => {
    const info = JSON.parse(text);
    return JSON.stringify({ ...info, Origin: { ...info.Origin, Hash: newest.get('ash') } });
  });
}

/** Its go.sum is made by go, from upstream. */
async function makeProduct(): Promise<string> {
  const project = join(folder, 'product');
  await mkdir(project);
  const needs = { ember: `${FORGE}/ember.git v1.1.0`, flue: `${FORGE}/flue.git v1.0.0`, kiln: 'vanity.example/kiln v1.0.0' };
  const imports = Object.entries(needs).map(([name, need]) => `\t${name} "${need.split(' ')[0]}"\n`);
  await writeFile(join(project, 'go.mod'), `module product.example/stove\n\ngo 1.21\n\nrequire (\n${Object.values(needs).join('\n')}\n)\n`);
  await writeFile(
    join(project, 'main.go'),
    `package main\n\nimport (\n\t"fmt"\n${imports.join('')})\n\nfunc main() {\n\tfmt.Println(flue.Says + ", " + kiln.Says)\n\t_ = ember.Says\n}\n`,
  );
  succeeded(await makeGoHome(folder, upstream).go(['mod', 'tidy'], project), 'go mod tidy');
  return project;
}

async function makeEmptyProject(): Promise<string> {
  const project = join(folder, 'empty');
  await mkdir(project);
  await writeFile(join(project, 'go.mod'), 'module product.example/empty\n\ngo 1.21\n');
  return project;
}
