import { locateCommit } from '@granary/stage-rebuild';
import { describe, expect, it } from 'vitest';
import { openProject } from './project.ts';

const manifest = (version: string, name = 'lamp') => `${JSON.stringify({ name, version })}\n`;
const index = (what: string) => `module.exports = ${JSON.stringify(what)};\n`;

describe('the commit of a release', () => {
  it('is the one that a tag of its version names, whatever else is tagged', async () => {
    const project = openProject();
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };
    const released = project.commit(files);
    project.git('tag', '--annotate', '--message', 'release', 'v1.0.0');
    project.commit({ 'index.js': index('later') });
    project.git('tag', 'v1.0.0-rc.1');
    project.git('tag', 'v11.0.0');

    const { chosen, findings } = await locateCommit(await project.hold(), await project.release(files), undefined);

    expect(chosen).toMatchObject({
      commit: released,
      tier: 'commit-tagged',
      evidence: 'tag',
      ref: 'refs/tags/v1.0.0',
      standing: 'valid',
      score: 1,
      directory: '',
    });
    expect(findings).toEqual([]);
  });

  it('is the one that the package names, and as good as tagged where a tag agrees', async () => {
    const project = openProject();
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };
    const released = project.commit(files);
    const held = await project.hold();
    project.git('tag', 'v1.0.0');

    expect((await locateCommit(held, await project.release(files), released)).chosen).toMatchObject({
      commit: released,
      tier: 'commit-inferred',
      evidence: 'embedded',
    });
    expect((await locateCommit(await project.hold(), await project.release(files), released)).chosen).toMatchObject({
      commit: released,
      tier: 'commit-tagged',
      evidence: 'embedded',
    });
  });

  it('is the one that the service attested which built it, before all others that fit as well', async () => {
    const project = openProject();
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };
    const attestedCommit = project.commit(files);
    const held = await project.hold();
    const embedded = project.commit({ 'unpublished.txt': 'x' });
    project.git('tag', 'v1.0.0');

    expect(await locateCommit(held, { ...(await project.release(files)), attestedCommit }, attestedCommit)).toMatchObject({
      chosen: { commit: attestedCommit, tier: 'commit-attested', evidence: 'attested' },
      findings: [],
    });
    expect(await locateCommit(await project.hold(), { ...(await project.release(files)), attestedCommit }, embedded)).toMatchObject({
      chosen: { commit: attestedCommit, tier: 'commit-attested', evidence: 'attested' },
      findings: ['sources-disagree'],
    });
  });

  it('is found in a workspace: by the folder that is claimed, by its name, or wherever its manifest stands', async () => {
    const project = openProject();
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };
    const place = (folder: string) => Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
    project.commit({ 'package.json': manifest('0.0.0', 'house'), ...place('packages/lamp'), ...place('tools/deep/lamp') });
    project.git('tag', 'lamp@1.0.0');
    const held = await project.hold();

    expect((await locateCommit(held, await project.release(files), undefined)).chosen?.directory).toBe('packages/lamp');
    expect((await locateCommit(held, await project.release(files, { directory: 'tools/deep/lamp' }), undefined)).chosen?.directory).toBe('tools/deep/lamp');
    const elsewhere = await locateCommit(held, await project.release(files, { directory: 'src/lamp' }), undefined);
    expect(elsewhere).toMatchObject({ chosen: { directory: 'packages/lamp' }, findings: ['claimed-directory-differs'] });
  });

  it('is the first with its version, where nobody tagged it', async () => {
    const project = openProject();
    project.commit({ 'package.json': manifest('0.9.0'), 'index.js': index('old') });
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('old') };
    const released = project.commit({ 'package.json': manifest('1.0.0') });
    project.commit({ 'package.json': manifest('1.1.0') });

    const { chosen } = await locateCommit(await project.hold(), await project.release(files, { day: 2 }), undefined);

    expect(chosen).toMatchObject({ commit: released, tier: 'commit-inferred', evidence: 'history', score: 1 });
  });

  it('is a later one with the same version, where that alone has all its files', async () => {
    const project = openProject();
    project.commit({ 'package.json': manifest('1.0.0'), 'index.js': index('draft') });
    const released = project.commit({ 'index.js': index('final'), 'new.js': index('new') });
    project.commit({ 'index.js': index('after') });
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('final'), 'new.js': index('new') };

    expect((await locateCommit(await project.hold(), await project.release(files, { day: 2 }), undefined)).chosen).toMatchObject({
      commit: released,
      evidence: 'content',
      score: 1,
    });
  });

  it('is none, where no commit has its version or its files', async () => {
    const project = openProject();
    project.commit({ 'package.json': manifest('0.9.0'), 'index.js': index('old') });

    const located = await locateCommit(
      await project.hold(),
      await project.release({ 'package.json': manifest('1.0.0'), 'index.js': index('strange') }),
      undefined,
    );

    expect(located.chosen).toBeUndefined();
  });
});

describe('the commit that an operator wrote down', () => {
  const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };

  it('goes before what would be found, and is worth no more than what bears it out', async () => {
    const project = openProject();
    const commit = project.commit({ ...files, 'index.js': index('another') });
    project.commit(files);
    const held = await project.hold();
    const release = await project.release(files);
    project.git('tag', 'v1.0.0', commit);
    const tagged = await project.hold();

    const located = async (at: typeof held, more: object) => (await locateCommit(at, { ...release, written: { commit }, ...more }, undefined)).chosen;

    expect(await located(held, {})).toMatchObject({ commit, evidence: 'written', tier: 'commit-inferred' });
    expect(await located(tagged, {})).toMatchObject({ commit, tier: 'commit-tagged' });
    expect(await located(tagged, { attestedCommit: commit })).toMatchObject({ commit, tier: 'commit-attested' });
    expect(await located(tagged, { isStated: true })).toMatchObject({ commit, tier: 'commit-stated' });
  });

  it('is worth the word of the operator alone where nothing of the package is in it, or in the folder that is written', async () => {
    const project = openProject();
    const commit = project.commit({ 'README.md': 'another project' });
    const whole = project.commit({ ...files, 'src/other.js': index('other') });
    const [held, release] = [await project.hold(), await project.release(files)];

    expect((await locateCommit(held, { ...release, written: { commit } }, undefined)).chosen).toMatchObject({ standing: 'no-manifest', tier: 'commit-stated' });
    expect((await locateCommit(held, { ...release, written: { directory: 'src' } }, whole)).chosen).toMatchObject({
      directory: 'src',
      standing: 'no-manifest',
    });
  });

  it('overrules what the package says, and what its builder attested, for everybody to see', async () => {
    const project = openProject();
    const claimed = project.commit(files);
    const commit = project.commit({ 'unpublished.txt': 'x' });
    const [held, release] = [await project.hold(), await project.release(files)];

    for (const said of [
      await locateCommit(held, { ...release, written: { commit } }, claimed),
      await locateCommit(held, { ...release, written: { commit }, attestedCommit: claimed }, undefined),
    ])
      expect(said).toMatchObject({ chosen: { commit, tier: 'commit-inferred' }, findings: ['claimed-commit-differs'] });
  });

  it('overrules the commit of another repository as well, unless it is the same one', async () => {
    const project = openProject();
    const commit = project.commit(files);
    const [held, release] = [await project.hold(), await project.release(files)];
    const findings = async (overruled: string) => (await locateCommit(held, { ...release, isStated: true, overruled: [overruled] }, undefined)).findings;

    expect([await findings('f'.repeat(40)), await findings(commit)]).toEqual([['claimed-commit-differs'], []]);
  });

  it('may be that of a tag by a name of its own; where that is not there, no other is taken for it', async () => {
    const project = openProject();
    const commit = project.commit(files);
    project.git('tag', 'built.1.0.0.final');
    project.git('tag', 'v1.0.0');
    const [held, release] = [await project.hold(), await project.release(files)];

    expect((await locateCommit(held, { ...release, written: { tag: 'built.{version}.final' } }, undefined)).chosen).toMatchObject({
      commit,
      evidence: 'written',
      ref: 'refs/tags/v1.0.0',
      tier: 'commit-tagged',
    });
    const missing = await locateCommit(held, { ...release, written: { tag: 'gone-{version}' } }, undefined);
    expect(missing).toMatchObject({
      chosen: undefined,
      examined: expect.arrayContaining([expect.objectContaining({ standing: 'absent', ref: 'refs/tags/gone-1.0.0' })]),
    });
    expect((await locateCommit(held, { ...release, written: { commit: 'f'.repeat(40) } }, undefined)).chosen).toBeUndefined();
    // The id of another kind of repository.
    expect((await locateCommit(held, { ...release, written: { commit: 'f'.repeat(64) } }, undefined)).chosen).toBeUndefined();
  });
});

describe('the commit of a release whose manifest leaves its version open', () => {
  const open = `${JSON.stringify({ name: 'lamp' })}\n`;
  const parts = (what: string) => Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`part${at}.js`, index(`${what}${at}`)]));

  it('is one that a tag names, however little of the package it has', async () => {
    const project = openProject();
    const tagged = project.commit({ 'package.json': open, 'index.js': index('reviewed') });
    project.git('tag', 'v1.0.0');

    const { chosen } = await locateCommit(await project.hold(), await project.release({ 'package.json': open, 'index.js': index('other') }), undefined);

    expect(chosen).toMatchObject({ commit: tagged, tier: 'commit-tagged' });
  });

  it('is one that an operator wrote down; where it has not the package, that is the word of the operator alone', async () => {
    const project = openProject();
    const another = project.commit({ 'package.json': open, 'index.js': index('another') });
    const files = { 'package.json': open, 'index.js': index('one') };
    const commit = project.commit(files);
    const [held, release] = [await project.hold(), await project.release(files)];
    const tierOf = async (written: string) => (await locateCommit(held, { ...release, written: { commit: written } }, undefined)).chosen?.tier;

    expect([await tierOf(commit), await tierOf(another)]).toEqual(['commit-inferred', 'commit-stated']);
  });

  it('is one that nothing names, where it has the package, and none that has only much of it', async () => {
    const project = openProject();
    project.commit({ 'package.json': open, 'index.js': index('old'), ...parts('same') });
    const files = { 'package.json': open, 'index.js': index('new'), ...parts('same') };
    const without = (await locateCommit(await project.hold(), await project.release(files, { day: 2 }), undefined)).chosen;
    const released = project.commit({ 'index.js': index('new') });

    expect(without).toBeUndefined();
    expect((await locateCommit(await project.hold(), await project.release(files, { day: 2 }), undefined)).chosen).toMatchObject({
      commit: released,
      tier: 'commit-inferred',
      evidence: 'content',
    });
  });
});

describe('sources that say something against each other', () => {
  it('a commit that is named and is in no repository', async () => {
    const project = openProject();
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };
    const released = project.commit(files);
    project.git('tag', 'v1.0.0');

    // The longer one is an id of another kind of repository.
    for (const id of ['1'.repeat(40), '1'.repeat(64)])
      expect(await locateCommit(await project.hold(), await project.release(files), id)).toMatchObject({
        chosen: { commit: released, tier: 'commit-tagged' },
        findings: ['claimed-commit-missing'],
      });
  });

  it('a commit that is named, where another has more of the package', async () => {
    const project = openProject();
    const claimed = project.commit({ 'package.json': manifest('1.0.0'), 'index.js': index('reviewed') });
    project.git('tag', 'v1.0.0');
    project.git('checkout', '--quiet', '-b', 'side');
    const real = project.commit({ 'index.js': index('unreviewed') });
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('unreviewed') };

    expect(await locateCommit(await project.hold(), await project.release(files), claimed)).toMatchObject({
      chosen: { commit: real, tier: 'commit-inferred', evidence: 'content' },
      findings: ['claimed-commit-differs'],
    });
  });

  it('a commit that was attested, and is in no repository or has less of the package', async () => {
    const project = openProject();
    const attestedCommit = project.commit({ 'package.json': manifest('1.0.0'), 'index.js': index('reviewed') });
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };
    const released = project.commit(files);
    project.git('tag', 'v1.0.0');
    const held = await project.hold();

    expect(await locateCommit(held, { ...(await project.release(files)), attestedCommit: '1'.repeat(40) }, undefined)).toMatchObject({
      chosen: { commit: released, tier: 'commit-tagged' },
      findings: ['claimed-commit-missing'],
    });
    expect(await locateCommit(held, { ...(await project.release(files)), attestedCommit }, released)).toMatchObject({
      chosen: { commit: released, tier: 'commit-tagged', evidence: 'embedded' },
      findings: ['claimed-commit-differs'],
    });
  });

  it('a tag of the version that was moved to another commit', async () => {
    const project = openProject();
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };
    const released = project.commit(files);
    project.commit({ 'index.js': index('two') });
    project.git('tag', 'v1.0.0');

    expect((await locateCommit(await project.hold(), await project.release(files), released)).findings).toEqual(['sources-disagree']);
  });

  it('nothing, where a file was added to the package: that is for the comparison to find', async () => {
    const project = openProject();
    const files = { 'package.json': manifest('1.0.0'), 'index.js': index('one') };
    const released = project.commit(files);
    project.git('tag', 'v1.0.0');

    const located = await locateCommit(await project.hold(), await project.release({ ...files, 'planted.js': index('planted') }), released);

    expect(located).toMatchObject({ chosen: { commit: released, tier: 'commit-tagged' }, findings: [] });
    expect(located.chosen?.lacking.map(({ path }) => path)).toEqual(['package/planted.js']);
  });
});
