import { releaseTags } from '@granary/core/git';
import type { Artifact } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPurl } from '../names.ts';
import { pypiCommits } from './commits.ts';

function target(version: string, fileName = `demo_kit-${version}-py3-none-any.whl`): Artifact {
  return { purl: artifactPurl('demo-kit', version, fileName), fileName, path: fileName, digests: {} };
}
const WHEEL = target('1.0');
const SDIST = target('1.0', 'Demo_Kit-1.0.tar.gz');

describe('the tags of a release', () => {
  it.each([
    ['1.0', ['1.0', '1.0.0']],
    ['2.0.0', ['2.0.0', '2.0']],
    ['2026.4.22', ['2026.4.22', '2026.04.22']],
    ['23.4.0', ['23.4.0', '23.04.00', '23.4']],
    ['1!2.0.1', ['1!2.0.1', '2.0.1']],
    ['1.2.3.post1', ['1.2.3.post1', '1.2.3-1', '1.2.3post1']],
    ['1.2.3rc2', ['1.2.3rc2', '1.2.3-rc2', '1.2.3-rc.2']],
    ['1.2.3b1', ['1.2.3b1', '1.2.3-b1', '1.2.3-beta1', '1.2.3-beta.1', '1.2.3beta1']],
    ['nonsense', ['nonsense']],
  ])('%s are spelled %j', (version, versions) => {
    expect(pypiCommits.versions(target(version))).toEqual(versions);
  });

  it.each([
    ['2026.4.22', 'refs/tags/2026.04.22', 'bare'],
    ['1.2.3.post1', 'refs/tags/v1.2.3.post1', 'bare'],
    ['1.2.3rc2', 'refs/tags/demo.kit-v1.2.3-rc.2', 'package'],
    ['1!2.0.1', 'refs/tags/release-2.0.1', 'bare'],
    ['1.0', 'refs/tags/kit-1.0', 'part'],
  ])('of %s is %s', (version, ref, fit) => {
    const name = { aliases: pypiCommits.aliases(target(version)), versions: pypiCommits.versions(target(version)) };

    expect(releaseTags([ref, 'refs/tags/9.9', 'refs/heads/1.0'], name)).toEqual([{ ref, fit }]);
  });

  it('are not those that follow the newest release of a series', () => {
    expect(pypiCommits.versions(target('2.0'))).not.toContain('2');
  });
});

it('a manifest is of the project whatever way it spells the name, and where it leaves the name open', () => {
  expect(pypiCommits.isOf(WHEEL, { name: 'Demo.Kit' })).toBe(true);
  expect(pypiCommits.isOf(WHEEL, {})).toBe(true);
  expect(pypiCommits.isOf(WHEEL, { name: 'demokit' })).toBe(false);
});

describe('an entry of a wheel', () => {
  it.each([
    ['demo/__init__.py', ['demo/__init__.py', 'src/demo/__init__.py', 'lib/demo/__init__.py']],
    ['demo_kit-1.0.data/purelib/demo/x.py', ['demo/x.py', 'src/demo/x.py', 'lib/demo/x.py']],
    ['demo_kit-1.0.dist-info/licenses/LICENSE.txt', ['LICENSE.txt']],
    ['demo_kit-1.0.dist-info/licenses/vendor/LICENSE', ['vendor/LICENSE']],
    ['demo_kit-1.0.dist-info/LICENSE', ['LICENSE']],
    // Nothing that tools write: somebody put it there.
    ['demo_kit-1.0.dist-info/payload.py', ['payload.py']],
  ])('%s may stand at %j', (path, places) => {
    expect(pypiCommits.placesOf(WHEEL, path, '')).toEqual(places);
  });

  it.each(['METADATA', 'WHEEL', 'RECORD', 'entry_points.txt', 'top_level.txt'])('is written by tools: .dist-info/%s', (name) => {
    expect(pypiCommits.placesOf(WHEEL, `demo_kit-1.0.dist-info/${name}`, '')).toEqual([]);
  });

  it('may stand below the folder of its package, or at the root', () => {
    expect(pypiCommits.placesOf(WHEEL, 'demo_kit-1.0.dist-info/licenses/LICENSE', 'libs/demo')).toEqual(['libs/demo/LICENSE', 'LICENSE']);
    expect(pypiCommits.placesOf(WHEEL, 'demo.py', 'libs/demo').slice(0, 3)).toEqual(['libs/demo/demo.py', 'demo.py', 'libs/demo/src/demo.py']);
  });
});

describe('an entry of a source archive', () => {
  it('stands where it does below the one folder', () => {
    expect(pypiCommits.placesOf(SDIST, 'Demo_Kit-1.0/src/demo.py', '')).toEqual(['src/demo.py']);
    expect(pypiCommits.placesOf(SDIST, 'Demo_Kit-1.0/src/demo.py', 'libs/demo')).toEqual(['libs/demo/src/demo.py', 'src/demo.py']);
    expect(pypiCommits.placesOf(SDIST, 'Demo_Kit-1.0/tests/PKG-INFO', '')).toEqual(['tests/PKG-INFO']);
    expect(pypiCommits.placesOf(SDIST, 'Demo_Kit-1.0/demo.egg-info/payload.py', '')).toEqual(['demo.egg-info/payload.py']);
  });

  it.each(['PKG-INFO', 'setup.cfg', 'demo.egg-info/SOURCES.txt', 'src/demo.egg-info/PKG-INFO'])('is written by tools: %s', (path) => {
    expect(pypiCommits.placesOf(SDIST, `Demo_Kit-1.0/${path}`, '')).toEqual([]);
  });
});
