import type { Artifact } from '@granary/core/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artifactPurl, usualFileName } from '../names.ts';
import { npmCommits } from './commits.ts';

function artifact(name: string, version = '1.2.3'): Artifact {
  const fileName = usualFileName(name, version);
  return { purl: artifactPurl(name, version, fileName), fileName, digests: {}, path: '' };
}
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const read = (value: unknown, fileName = 'package.json') => npmCommits.readManifest(fileName, bytesOf(value));
const BOX = artifact('@sample/box');

describe('tags of a release', () => {
  it('may have the name before the version, with its scope and without', () => {
    expect(npmCommits.aliases(BOX)).toEqual(['@sample/box', 'box']);
    expect(npmCommits.aliases(artifact('JSONStream'))).toEqual(['JSONStream']);
    expect(npmCommits.versions(artifact('box', '1.0.0-rc.1+build'))).toEqual(['1.0.0-rc.1+build']);
  });
});

describe('a package.json', () => {
  it('speaks of the package that it names, to the letter', () => {
    const manifest = read({ name: '@sample/box', version: '1.2.3', private: true });

    expect(manifest).toEqual({ name: '@sample/box', version: '1.2.3' });
    expect(manifest && npmCommits.isOf(BOX, manifest)).toBe(true);
    expect(npmCommits.isOf(artifact('box'), { name: '@sample/box' })).toBe(false);
    expect(npmCommits.isOf(artifact('JSONStream'), { name: 'jsonstream' })).toBe(false);
    expect(npmCommits.isOf(BOX, {})).toBe(false);
  });

  it.each(['0.0.0-development', '0.0.0-semantically-released', '0.0.0', 'soon', 7, null, '1.2.3\n', '9'.repeat(300)])(
    'leaves the version %j to whoever publishes',
    (version) => {
      expect(read({ name: 'box', version })).toEqual({ name: 'box' });
    },
  );

  it.each([
    ['no JSON', '{'],
    ['no object', '["box"]'],
    ['no name', '{"version":"1.2.3"}'],
    ['a name that is a path', '{"name":"../../box"}'],
    ['a name that is none', '{"name":{"toString":"box"}}'],
    ['a name without end', { name: 'x'.repeat(215) }],
    ['members of every object', '{"__proto__":{"name":"box"},"version":"1.2.3"}'],
    ['a tower', `{"name":"box","x":${'['.repeat(300)}${']'.repeat(300)}}`],
  ])('with %s is none', (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  it('is nothing under another name', () => {
    expect(read({ name: 'box' }, 'package-lock.json')).toBeUndefined();
  });

  it('may be anything at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytesOf), fc.record({ name: fc.anything(), version: fc.anything() }).map(safeJson)), (bytes) => {
        const manifest = npmCommits.readManifest('package.json', bytes);
        expect(manifest === undefined || typeof manifest.name === 'string').toBe(true);
      }),
    );
  });
});

function safeJson(value: unknown): Uint8Array {
  try {
    return bytesOf(JSON.stringify(value) ?? '');
  } catch {
    return bytesOf('');
  }
}

describe('a file of a tarball', () => {
  it('stands in the directory of the package, without the first folder of the tarball', () => {
    expect(npmCommits.placesOf(BOX, 'package/lib/index.js', '')).toEqual(['lib/index.js']);
    expect(npmCommits.placesOf(BOX, 'box-1.2.3/lib/index.js', 'packages/box')).toEqual(['packages/box/lib/index.js']);
  });

  it.each(['LICENSE', 'LICENCE', 'license.md', 'README.md', 'Readme', 'LICENSE-MIT', 'README.zh-CN.md'])('may have been copied from the root: %s', (name) => {
    expect(npmCommits.placesOf(BOX, `package/${name}`, 'packages/box')).toEqual([`packages/box/${name}`, name]);
    expect(npmCommits.placesOf(BOX, `package/${name}`, '')).toEqual([name]);
  });

  it.each(['docs/README.md', 'licenses.js', 'README/run.js', 'readmeish.js', 'package.json'])('is not copied from the root: %s', (name) => {
    expect(npmCommits.placesOf(BOX, `package/${name}`, 'packages/box')).toEqual([`packages/box/${name}`]);
  });

  it('has a place whatever it is called, so that none passes for something that every packer writes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (path, directory) => {
        expect(npmCommits.placesOf(BOX, path, directory).length).toBeGreaterThan(0);
      }),
    );
  });
});
