import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkGitHost } from '@granary/driver-git-native';
import { describe, expect, it } from 'vitest';
import { clientSuite } from '../clients/client-suite.ts';
import { whyNoGo } from '../clients/go-home.ts';
import { granaryArgv, granaryEnvironment } from '../clients/granary-process.ts';
import { mustRun, run } from '../clients/run.ts';
import { type ForgeRepository, openLoopbackForge } from '../upstream/loopback-forge.ts';
import { type LoopbackModules, openLoopbackModules } from '../upstream/loopback-modules.ts';
import { commitAll, downloadModules, workOf, writeFiles } from './go-repositories.ts';
import { judgedIn } from './judged.ts';

const SET_UP_MS = 300_000;
const FORGE = 'forge.example/owner';
const LICENCE = 'a licence\n';
const host = await checkGitHost();

let folder = '';
let pseudo = '';
/** Commits by the name that the tests give them. */
const commits = new Map<string, string>();

const suite = clientSuite({ name: 'golang-from-git', reason: whyNoGo() ?? (host.ok ? undefined : host.why), timeoutMs: SET_UP_MS }, async (place, opened) => {
  folder = place;
  const forge = await openLoopbackForge(join(folder, 'forge'));
  opened.defer(() => forge.close());
  const upstream = await openLoopbackModules(join(folder, 'upstream'));
  opened.defer(() => upstream.close());
  const [lamp, oil, tallow, wick, wax] = await Promise.all(['lamp', 'oil', 'tallow', 'wick', 'wax'].map((name) => forge.create(`owner/${name}`)));
  if (lamp === undefined || oil === undefined || tallow === undefined || wick === undefined || wax === undefined) return;
  await makeLamp(lamp);
  await makeSmall(oil, 'oil');
  await writeFiles(tallow, { 'tallow.go': 'package tallow\n', LICENSE: LICENCE });
  await commit(tallow, 'tallow', 'v2.0.0');
  await makeSmall(wick, 'wick');
  await makeSmall(wax, 'wax');
  const wanted = [
    `lamp.git@v1.0.0`,
    `lamp.git/sub@v0.2.0`,
    `lamp.git/sub/v2@v2.0.0`,
    `lamp.git@${commits.get('untagged')}`,
    `oil.git@v1.0.0`,
    `tallow.git@v2.0.0+incompatible`,
  ];
  const downloaded = await downloadModules(
    wanted.map((name) => `${FORGE}/${name}`),
    { folder, base: forge.base },
  );
  pseudo = downloaded[3] ?? '';
  await publish(upstream);
  await moveTag(oil, 'oil');
  await moveTag(wax, 'wax');
  const watch = [
    ...downloaded,
    ...['wick.git@v1.0.0', 'wick.git@v1.0.1', 'wax.git@v1.0.0', 'wick.git@v0.0.0-20230501100000-0123456789ab'].map((name) => `${FORGE}/${name}`),
  ];
  const site = {
    data: 'data',
    watch: watch.map((module) => `pkg:golang/${module}`),
    upstreams: { golang: { index: upstream.proxy, settings: { GOSUMDB: upstream.sumdb } } },
    repositories: { mirror: 'named-by-packages', insteadOf: { 'https://forge.example/': forge.base } },
  };
  await writeFile(join(folder, 'granary.yaml'), JSON.stringify(site));
  await mustRun(granaryArgv('up', '--once', '--config', join(folder, 'granary.yaml'), '--listen', '127.0.0.1:0'), { env: granaryEnvironment() });
});

describe.skipIf(suite.isSkipped)(suite.title('the zip of a Go module, and the commit that it was made from'), () => {
  const judged = (module: string) =>
    judgedIn(join(folder, 'data'), `pkg:golang/${FORGE}/${module}?file_name=${module.slice(module.indexOf('@') + 1).replaceAll('+', '%2B')}.zip`);
  const proven = { verdict: 'reproduced-normalized', rung: 'identical-files', tier: 'commit-tagged' };

  it('have identical files, without links, vendored packages and other modules, and whatever attributes say', () => {
    expect(judged('lamp.git@v1.0.0')).toMatchObject({
      verdict: proven,
      findings: [],
      source: { commit: commits.get('lamp'), ref: 'refs/tags/v1.0.0', evidence: 'embedded' },
    });
  });

  it('have identical files where the module lies in a folder, and where a go.mod of a later major version lies below that', () => {
    expect(judged('lamp.git/sub@v0.2.0')).toMatchObject({
      verdict: proven,
      findings: [],
      source: { commit: commits.get('lamp'), directory: 'sub', ref: 'refs/tags/sub/v0.2.0' },
    });
    expect(judged('lamp.git/sub/v2@v2.0.0')).toMatchObject({ verdict: proven, findings: [], source: { directory: 'sub/v2', ref: 'refs/tags/sub/v2.0.0' } });
  });

  it('have identical files where the version itself names the commit, and no tag does', () => {
    const version = pseudo.slice(pseudo.indexOf('@'));

    expect(version).toMatch(/^@v1\.0\.1-0\.\d{14}-[0-9a-f]{12}$/);
    expect(judged(`lamp.git${version}`)).toMatchObject({
      verdict: { ...proven, tier: 'commit-inferred' },
      findings: [],
      source: { commit: commits.get('untagged'), evidence: 'embedded' },
    });
  });

  it('have identical files where there is no go.mod', () => {
    expect(judged('tallow.git@v2.0.0+incompatible')).toMatchObject({
      verdict: proven,
      findings: [],
      source: { commit: commits.get('tallow'), ref: 'refs/tags/v2.0.0' },
    });
  });

  it('differ where a file was planted in the zip, though the checksum database agrees to it', async () => {
    expect(judged('wick.git@v1.0.0')).toMatchObject({
      evidence: [{ check: 'sumdb', state: 'checked' }],
      verdict: { verdict: 'not-reproduced', cause: 'extra-upstream-files', tier: 'commit-tagged', findings: ['commit-lacks-files'] },
      source: { commit: commits.get('wick'), evidence: 'tag' },
      residue: [`${FORGE}/wick.git@v1.0.0/planted.go only-upstream extra-upstream-files`],
    });
    const why = await run(granaryArgv('why', `pkg:golang/${FORGE}/wick.git@v1.0.0`, '--config', join(folder, 'granary.yaml')), { env: granaryEnvironment() });
    expect(why.said).toMatch(/not-reproduced, extra-upstream-files/);
  });

  it('differ where a byte was changed in the zip, and where a file was left out of it', () => {
    expect(judged('wick.git@v1.0.1')).toMatchObject({
      verdict: { verdict: 'not-reproduced', cause: 'content-unexplained', findings: ['commit-lacks-files'] },
      residue: [`${FORGE}/wick.git@v1.0.1/LICENSE only-rebuild missing-upstream-files`, `${FORGE}/wick.git@v1.0.1/wick.go content content-unexplained`],
    });
  });

  it('are another than the version names, where that is in no repository, and that is said', () => {
    expect(judged('wick.git@v0.0.0-20230501100000-0123456789ab')).toMatchObject({
      verdict: { ...proven, tier: 'commit-inferred' },
      findings: ['claimed-commit-missing'],
      source: { commit: commits.get('wick'), evidence: 'content' },
    });
  });

  it('are found together after the tag was moved to another commit, and that is said', () => {
    const moved = { ...proven, tier: 'commit-inferred', findings: ['sources-disagree'] };

    // Its proxy said which commit it took.
    expect(judged('oil.git@v1.0.0')).toMatchObject({ verdict: moved, source: { commit: commits.get('oil'), evidence: 'embedded' } });
    // Nobody did: the files tell.
    expect(judged('wax.git@v1.0.0')).toMatchObject({ verdict: moved, source: { commit: commits.get('wax'), evidence: 'content' } });
  });

  it('say what the proxy says of the version, and give its go.mod, or what is made up where it has none', () => {
    const beside = (module: string, kind: 'info' | 'mod') =>
      judgedIn(join(folder, 'data'), `pkg:golang/${FORGE}/${module}?file_name=${module.slice(module.indexOf('@') + 1).replaceAll('+', '%2B')}.${kind}`);
    const modules = [
      'lamp.git@v1.0.0',
      'lamp.git/sub/v2@v2.0.0',
      `lamp.git${pseudo.slice(pseudo.indexOf('@'))}`,
      'oil.git@v1.0.0',
      'tallow.git@v2.0.0+incompatible',
    ];

    expect(modules.map((module) => beside(module, 'mod'))).toMatchObject(modules.map(() => ({ verdict: { verdict: 'reproduced', rung: 'identical' } })));
    expect(modules.map((module) => beside(module, 'info'))).toMatchObject(
      modules.map(() => ({ verdict: { verdict: 'reproduced-normalized', rung: 'equivalent' } })),
    );
    expect(modules.map((module) => beside(module, 'mod')?.verdict?.tier)).toEqual(modules.map((module) => judged(module)?.verdict?.tier));
    expect(beside('lamp.git/sub@v0.2.0', 'info')).toMatchObject({ source: { commit: commits.get('lamp'), directory: 'sub', evidence: 'embedded' } });
  });
});

/** Everything that a zip leaves out, or is given. */
async function makeLamp(lamp: ForgeRepository): Promise<void> {
  const goMod = (path: string) => `module ${FORGE}/${path}\n\ngo 1.21\n`;
  await writeFiles(lamp, {
    '.gitattributes': 'hidden.go export-ignore\nversion.txt export-subst\n',
    LICENSE: LICENCE,
    'go.mod': goMod('lamp.git'),
    'lamp.go': 'package lamp\n',
    'hidden.go': 'package lamp\n',
    'version.txt': '$Format:%H$\n',
    'vendor/modules.txt': '# x.example/x v1.0.0\n',
    'vendor/x.example/x/x.go': 'package x\n',
    'testdata/ü b.txt': 'text\n',
    'sub/go.mod': goMod('lamp.git/sub'),
    'sub/sub.go': 'package sub\n',
    'sub/v2/go.mod': goMod('lamp.git/sub/v2'),
    'sub/v2/sub.go': 'package sub\n',
    'sub/v2/LICENSE': 'another licence\n',
  });
  const work = await workOf(lamp);
  await writeFile(join(work, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  await symlink('lamp.go', join(work, 'link.go'));
  await commit(lamp, 'lamp', 'v1.0.0', 'sub/v0.2.0', 'sub/v2.0.0');
  await writeFiles(lamp, { 'lamp.go': 'package lamp\n\nconst Untagged = true\n' });
  await commit(lamp, 'untagged');
  await writeFiles(lamp, { 'lamp.go': 'package lamp\n\nconst Later = true\n' });
  await commit(lamp, 'later');
}

function smallFiles(name: string): Readonly<Record<string, string>> {
  return { LICENSE: LICENCE, 'go.mod': `module ${FORGE}/${name}.git\n\ngo 1.21\n`, [`${name}.go`]: `package ${name}\n` };
}

async function makeSmall(repository: ForgeRepository, name: string): Promise<void> {
  await writeFiles(repository, smallFiles(name));
  await commit(repository, name, 'v1.0.0', 'v1.0.1');
}

/** Zips that are not what git would make; their `.info` says nothing of where they are from. */
async function publish(upstream: LoopbackModules): Promise<void> {
  const publishedAt = `${new Date().toISOString().slice(0, 19)}Z`;
  const wick = { path: `${FORGE}/wick.git`, publishedAt };
  await upstream.publish({ ...wick, version: 'v1.0.0', files: { ...smallFiles('wick'), 'planted.go': 'package wick\n\nfunc init() { panic("planted") }\n' } });
  const { LICENSE: _, ...others } = smallFiles('wick');
  await upstream.publish({ ...wick, version: 'v1.0.1', files: { ...others, 'wick.go': 'package wock\n' } });
  await upstream.publish({ ...wick, version: 'v0.0.0-20230501100000-0123456789ab', files: smallFiles('wick') });
  await upstream.publish({ path: `${FORGE}/wax.git`, publishedAt, version: 'v1.0.0', files: smallFiles('wax') });
}

async function moveTag(repository: ForgeRepository, name: string): Promise<void> {
  await writeFiles(repository, { [`${name}.go`]: `package ${name}\n\nconst Moved = true\n` });
  await repository.git('tag', '--delete', 'v1.0.0');
  await commit(repository, `${name} moved`, 'v1.0.0');
}

async function commit(repository: ForgeRepository, name: string, ...tags: readonly string[]): Promise<void> {
  commits.set(name, await commitAll(repository, name, ...tags));
}
