import type { Attempt, BuildProposal } from '@granary/contract/ecosystem';
import { describe, expect, it } from 'vitest';
import { INSTALLED } from './build-script.ts';
import { propose } from './propose.ts';
import { comparison, type Files, LACKS_DIST, looked, PUBLISHED, subjectOf } from './test/small-commit.ts';

const INTEGRITY = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
const HEX = '01'.repeat(64);
const LOCK = {
  lockfileVersion: 3,
  packages: { 'node_modules/shape': { version: '1.0.0', resolved: 'https://registry.example/shape/-/shape-1.0.0.tgz', integrity: INTEGRITY } },
};
const PNPM_LOCK = `lockfileVersion: '9.0'\npackages:\n  shape@1.0.0:\n    resolution: {integrity: ${INTEGRITY}}\n`;
const YARN_LOCK = `# yarn lockfile v1\n\nshape@^1.0.0:\n  version "1.0.0"\n  resolved "https://registry.example/shape/-/shape-1.0.0.tgz"\n  integrity ${INTEGRITY}\n`;
const BERRY_LOCK = '__metadata:\n  version: 8\n\n"shape@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "shape@npm:1.0.0"\n  checksum: 10c0/aa\n';
const box = (more: object = {}): object => ({ name: 'box', version: '1.2.3', ...more });

async function next(
  files: Files,
  history: readonly Attempt[],
  place: { readonly directory?: string; readonly name?: string } = {},
  precedent?: BuildProposal,
): Promise<BuildProposal | undefined> {
  const proposed = await propose({ ...subjectOf(files, place), ...(precedent === undefined ? {} : { precedent }) }, history);
  return proposed.type === 'build' ? proposed.proposal : undefined;
}
const failed = (proposal: BuildProposal, log: string): Attempt => ({ proposal, outcome: { type: 'failed', failureClass: 'build-failed', log } });

/** All that is tried when nothing comes of it. */
async function attempts(files: Files, first: Attempt, place: { readonly directory?: string } = {}, log = INSTALLED): Promise<readonly BuildProposal[]> {
  const history = [first];
  for (let proposal = await next(files, history, place); proposal !== undefined; proposal = await next(files, history, place))
    history.push(failed(proposal, log));
  return history.slice(1).map(({ proposal }) => proposal);
}
const waysOf = (proposals: readonly BuildProposal[]) =>
  proposals.map(({ settings: { manager, projectScripts, scripts, packScripts, packer } }) =>
    [manager, projectScripts, scripts, packScripts, packer].flat().join(' ').replaceAll('  ', ' '),
  );

describe('of a commit that has all files', () => {
  it('the package is packed, and nothing run', async () => {
    const proposals = await attempts({ 'package.json': box({ scripts: { prepack: 'x', build: 'x' } }), 'package-lock.json': LOCK }, looked());

    expect(waysOf(proposals)).toEqual(['none false npm']);
    expect(proposals[0]).toMatchObject({ requirements: [], notes: ['npm pack without scripts in the root'] });
    expect(proposals[0]?.parameters).toEqual([
      { name: 'node', value: '20.12.0', from: 'the root filesystem' },
      { name: 'npm', value: '10.5.0', from: 'the root filesystem' },
    ]);
  });

  it('a bit that packing sets is left to packing', async () => {
    expect(waysOf(await attempts({ 'package.json': box() }, looked({ path: 'package/cli.js', kind: 'mode', cause: 'archive-metadata' })))).toEqual([
      'none false npm',
    ]);
  });

  it('nothing more is tried once it holds', async () => {
    const proposal = await next({ 'package.json': box() }, [looked()]);
    if (proposal === undefined) throw new Error('nothing was proposed');

    expect(await next({ 'package.json': box() }, [looked(), { proposal, outcome: { type: 'compared', comparison: comparison() } }])).toBeUndefined();
  });
});

describe('of a commit that lacks files', () => {
  it('nothing is built where nothing builds', async () => {
    expect(await attempts({ 'package.json': box({ scripts: { test: 'x', build: ' ' } }), 'package-lock.json': LOCK }, looked(LACKS_DIST))).toEqual([]);
  });

  it('what packing runs comes first, then what people run before', async () => {
    const scripts = { prepare: 'x', build: 'x', prepublishOnly: 'x' };

    const proposals = await attempts({ 'package.json': box({ scripts }), 'package-lock.json': LOCK }, looked(LACKS_DIST));

    expect(waysOf(proposals)).toEqual(['npm true npm', 'npm build true npm', 'npm prepublishOnly true npm']);
    expect(proposals[0]?.requirements).toEqual([`shape@1.0.0 sha512:${HEX} if-it-runs`]);
    expect(proposals[0]?.before).toBe(new Date(Date.parse(PUBLISHED) + 1000).toISOString());
    expect(proposals[1]?.notes).toEqual(['installed package-lock.json', 'ran build', 'npm pack in the root']);
  });

  it('scripts run with nothing installed where that is impossible, or there is nothing', async () => {
    const scripts = { prepack: 'x' };

    expect(waysOf(await attempts({ 'package.json': box({ scripts }), 'package-lock.json': LOCK }, looked(LACKS_DIST), {}, 'npm error code E404'))).toEqual([
      'npm true npm',
      'none true npm',
    ]);
    expect(waysOf(await attempts({ 'package.json': box({ scripts }) }, looked(LACKS_DIST)))).toEqual(['none true npm']);
  });

  it('without a lock, ranges are taken as they were then', async () => {
    const json = box({ scripts: { build: 'x' }, devDependencies: { shape: '1.0.0', 7: 8 }, dependencies: { light: '~2' } });

    const [proposal] = await attempts({ 'package.json': json }, looked(LACKS_DIST));

    expect(proposal).toMatchObject({ settings: { manager: 'npm-install' }, requirements: ['light@~2', 'shape@=1.0.0'] });
  });

  it('of a workspace, its own lock counts before that of the root, and the root may build', async () => {
    const files = {
      'package.json': { private: true, scripts: { build: 'x' } },
      'pnpm-lock.yaml': PNPM_LOCK,
      'packages/box/package.json': box({ scripts: { build: 'x' }, dependencies: { shape: 'workspace:^' } }),
    };

    const proposals = await attempts(files, looked(LACKS_DIST), { directory: 'packages/box' });
    const own = await attempts({ ...files, 'packages/box/package-lock.json': LOCK }, looked(LACKS_DIST), { directory: 'packages/box' });

    expect(waysOf(proposals)).toEqual(['pnpm build true pnpm', 'pnpm build true pnpm']);
    expect(proposals.map(({ settings: { project, directory } }) => [project, directory])).toEqual([
      ['', 'packages/box'],
      ['', 'packages/box'],
    ]);
    expect(proposals[1]?.settings['projectScripts']).toEqual(['build']);
    expect(waysOf(own)).toEqual(['npm build true npm']);
  });

  it('of a package.json alone, its own packer writes what it leaves open', async () => {
    const written = { path: 'package/package.json', kind: 'content', cause: 'build-metadata' } as const;
    const workspace = { 'package.json': box({ dependencies: { shape: 'workspace:^' } }), 'pnpm-lock.yaml': PNPM_LOCK };
    const open = { 'package.json': box({ version: '0.0.0-development' }), 'package-lock.json': LOCK };

    expect(waysOf(await attempts(workspace, looked(written)))).toEqual(['pnpm false pnpm']);
    const [proposal] = await attempts(open, looked(written));
    expect(proposal?.settings).toMatchObject({ manager: 'none', version: '1.2.3' });
    expect(proposal?.parameters).toContainEqual({ name: 'version', value: '1.2.3', from: 'the release, box-1.2.3.tgz' });
  });
});

describe('the package manager', () => {
  const scripts = { build: 'x' };
  it.each([
    ['npm of the root filesystem', { 'package-lock.json': LOCK }, undefined, ['npm', undefined]],
    ['npm as the project names it', { 'package-lock.json': LOCK }, 'npm@10.1.0', ['npm', 'npm@10.1.0']],
    ['shrinkwrap before the other', { 'npm-shrinkwrap.json': LOCK, 'package-lock.json': '{' }, undefined, ['npm', undefined]],
    ['pnpm as the project names it', { 'pnpm-lock.yaml': PNPM_LOCK }, 'pnpm@9.1.0+sha512.aa', ['pnpm', 'pnpm@9.1.0']],
    ['pnpm by the form of its lock', { 'pnpm-lock.yaml': PNPM_LOCK }, undefined, ['pnpm', 'pnpm@^9 || ^10']],
    ['the one that is named, of two locks', { 'package-lock.json': LOCK, 'yarn.lock': YARN_LOCK }, 'yarn@1.22.1', ['yarn-1', 'yarn@1.22.1']],
    ['yarn 1 by the form of its lock', { 'yarn.lock': YARN_LOCK }, undefined, ['yarn-1', 'yarn@^1.22']],
    ['yarn 4 by the form of its lock', { 'yarn.lock': BERRY_LOCK }, undefined, ['yarn', '@yarnpkg/cli-dist@^4']],
    [
      'yarn as it lies there',
      { 'yarn.lock': BERRY_LOCK, '.yarnrc.yml': 'yarnPath: .yarn/releases/yarn-3.2.1.cjs\n' },
      undefined,
      ['yarn', '@yarnpkg/cli-dist@3.2.1'],
    ],
    ['another than its lock is of', { 'pnpm-lock.yaml': PNPM_LOCK }, 'yarn@4.0.0', ['pnpm', 'pnpm@^9 || ^10']],
    ['one that is no version', { 'package-lock.json': LOCK }, 'npm@../../x', ['npm', undefined]],
  ])('is %s', async (_, files, packageManager, [manager, tool]) => {
    const proposal = await next({ ...files, 'package.json': box({ scripts, packageManager }) }, [looked(LACKS_DIST)]);

    expect(proposal?.settings).toMatchObject({ manager, tool: tool ?? '' });
    expect(proposal?.requirements.find((requirement) => requirement === tool)).toBe(tool);
  });
});

describe('what a commit says', () => {
  it.each([
    ['a lock that is none', { 'package-lock.json': '{' }, 'none true npm'],
    ['scripts that are no object', { 'package.json': box({ scripts: ['build'] }) }, undefined],
    ['scripts of every object', { 'package.json': '{"name":"box","scripts":{"__proto__":{"build":"x"}}}' }, undefined],
    ['a package.json that is none', { 'package.json': '[[' }, undefined],
  ])('may be %s', async (_, files, way) => {
    const proposals = await attempts({ 'package.json': box({ scripts: { prepack: 'x' } }), ...files }, looked(LACKS_DIST));

    expect(waysOf(proposals)[0]).toBe(way);
  });

  it('is not taken in where its lock is endless', async () => {
    const packages = Object.fromEntries(Array.from({ length: 3001 }, (_, at) => [`node_modules/x${at}`, { version: '1.0.0' }]));
    const files = { 'package.json': box({ scripts: { build: 'x' } }), 'package-lock.json': { lockfileVersion: 3, packages } };

    expect(await propose(subjectOf(files), [looked(LACKS_DIST)])).toEqual({
      type: 'exhausted',
      failureClass: 'dependency-unavailable',
      detail: 'the lock of the root names 3001 releases, at most 3000 are taken',
    });
  });

  it('is nothing where its tree is none', async () => {
    const subject = { ...subjectOf({}), sourceBytes: new TextEncoder().encode('no tar'.repeat(200)) };

    expect(await propose(subject, [looked(LACKS_DIST)])).toMatchObject({ type: 'exhausted', failureClass: 'no-source' });
  });
});

describe('after a release that was reproduced', () => {
  const files = { 'package.json': box({ scripts: { build: 'x', prepack: 'x' } }), 'package-lock.json': LOCK };

  it('its way is tried first, in the folder and with the lock of this one', async () => {
    const [, second] = await attempts(files, looked(LACKS_DIST));
    if (second === undefined) throw new Error('there is one way only');
    const precedent = { ...second, requirements: ['old@1.0.0'], settings: { ...second.settings, directory: 'elsewhere', version: '0.9.0' } };

    expect(await next(files, [looked(LACKS_DIST)], {}, precedent)).toEqual(second);
  });

  it('a way that this one does not have is passed over', async () => {
    const [first] = await attempts(files, looked(LACKS_DIST));
    if (first === undefined) throw new Error('there is no way');

    expect(await next(files, [looked(LACKS_DIST)], {}, { ...first, settings: { ...first.settings, manager: 'pnpm' } })).toEqual(first);
    expect(await next(files, [looked(LACKS_DIST)], {}, { ...first, settings: { strange: 1 } })).toEqual(first);
  });
});
