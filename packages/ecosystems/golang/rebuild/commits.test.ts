import type { Artifact } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { readDeclared } from '../evidence.ts';
import { artifactPath, artifactPurl, fileNameOf } from '../names.ts';
import { golangCommits } from './commits.ts';
import { golangRebuilding } from './strategy.ts';

const PSEUDO = 'v1.2.4-0.20230501100000-0123456789ab';

function artifact(path: string, version = 'v1.2.3', kind: 'info' | 'mod' | 'zip' = 'zip'): Artifact {
  return { purl: artifactPurl(path, version, kind), fileName: fileNameOf(version, kind), path: artifactPath(path, version, kind), digests: {} };
}

describe('the commit of a module', () => {
  it('is tagged with its version, after the folder that it lies in', () => {
    expect(golangCommits.versions(artifact('mod.example/lamp'))).toEqual(['1.2.3']);
    expect(golangCommits.versions(artifact('mod.example/lamp', 'v2.0.0-rc.1+incompatible'))).toEqual(['2.0.0-rc.1']);
    expect(golangCommits.aliases(artifact('forge.example/owner/lamp/sub/dir/v2', 'v2.0.0'))).toEqual(['owner/lamp/sub/dir', 'lamp/sub/dir', 'sub/dir', 'dir']);
    expect(golangCommits.aliases(artifact('mod.example/lamp.v3', 'v3.0.0'))).toEqual(['lamp']);
  });

  it.each(['v0.0.0-20230501100000-0123456789ab', PSEUDO, 'v2.0.1-0.20230501100000-0123456789ab+incompatible', 'v1.0.0-pre.0.20230501100000-0123456789ab'])(
    'is named by the version itself: %s',
    (version) => {
      expect(golangCommits.versions(artifact('mod.example/lamp', version))).toEqual([]);
      expect(golangCommits.commitNamed?.(artifact('mod.example/lamp', version))).toEqual({ idPrefix: '0123456789ab', committedAt: '2023-05-01T10:00:00.000Z' });
    },
  );

  it.each(['v1.2.3', 'v0.0.0-20231301100000-0123456789ab', 'v0.0.0-20230501100000-0123456789AB', 'v0.0.0-20230501100000-0123456789a'])(
    'is not named by %s',
    (version) => {
      expect(golangCommits.commitNamed?.(artifact('mod.example/lamp', version))).toBeUndefined();
    },
  );

  it('has a go.mod of its path, or none where the whole repository is the module', () => {
    const read = (text: string) => golangCommits.readManifest('go.mod', Buffer.from(text));
    const lamp = artifact('mod.example/lamp');

    expect(read('// Deprecated: dark\nmodule "mod.example/lamp" // now\n\nmodule other.example\n')).toEqual({ name: 'mod.example/lamp' });
    expect(read('go 1.21\n')).toBeUndefined();
    expect([golangCommits.isOf(lamp, { name: 'mod.example/lamp' }), golangCommits.isOf(lamp, { name: 'mod.example/Lamp' })]).toEqual([true, false]);
    expect([golangCommits.isOf(lamp, {}), golangCommits.isOf(artifact('mod.example/lamp/v2', 'v2.0.0'), {})]).toEqual([true, false]);
  });

  it('has each file of the zip below the folder of the module', () => {
    const places = (entry: string, directory: string) => golangCommits.placesOf(artifact('mod.example/Lamp'), entry, directory);

    expect(places('mod.example/Lamp@v1.2.3/a/b.go', '')).toEqual(['a/b.go']);
    expect(places('mod.example/Lamp@v1.2.3/a/b.go', 'sub')).toEqual(['sub/a/b.go']);
    expect(places('mod.example/Lamp@v1.2.3/LICENSE', 'sub')).toEqual(['sub/LICENSE', 'LICENSE']);
    // What stands elsewhere stands at no place of a tree, and is no file that a packer writes.
    expect(places('elsewhere/a.go', '')).toEqual(['elsewhere/a.go']);
  });

  it('is that of the .zip for the other files too, or else of the .mod', () => {
    const [zip, mod, info] = (['zip', 'mod', 'info'] as const).map((kind) => artifact('mod.example/Lamp', 'v1.2.3', kind));
    if (zip === undefined || mod === undefined || info === undefined) throw new TypeError('three files');

    expect([zip, mod, info].map((file) => golangCommits.locatedWith?.(file))).toEqual([[], [zip.purl], [zip.purl, mod.purl]]);
    expect([zip, mod, info].map((file) => golangRebuilding.strategy.eligible(file))).toEqual(Array.from({ length: 3 }, () => ({ ok: true })));
    expect([zip, mod, info].map(({ fileName }) => golangCommits.documentOf?.(fileName) === undefined)).toEqual([true, false, false]);
    expect([mod, info].map((file) => golangCommits.placesOf(file, file.fileName, 'sub'))).toEqual([['sub/go.mod'], []]);
    expect(golangCommits.placesOf(mod, mod.fileName, '')).toEqual(['go.mod']);
    expect(golangRebuilding.strategy.eligible({ ...zip, fileName: 'record' })).toEqual({ ok: false, failureClass: 'unsupported-ecosystem' });
    expect(golangCommits.claimedBy?.(artifact('mod.example/Lamp'))).toBe(artifact('mod.example/Lamp', 'v1.2.3', 'info').purl);
  });
});

describe('where a module comes from', () => {
  const said = async (path: string, more: object) =>
    (await readDeclared(artifact(path, 'v1.2.3', 'info'), Buffer.from(JSON.stringify({ Version: 'v1.2.3', Time: '2023-05-01T10:00:00Z', ...more })))).source;
  const HASH = '1'.repeat(40);

  it('is what the proxy says, whatever its path', async () => {
    const Origin = { VCS: 'git', URL: 'https://forge.example/owner/real', Hash: HASH, Subdir: 'sub' };

    expect(await said('mod.example/a/lamp', { Origin })).toEqual({ repository: 'pkg:git/forge.example/owner/real', commit: HASH, directory: 'sub' });
    // The folder may be `sub/v2` as well.
    expect(await said('mod.example/a/lamp/sub/v2', { Origin })).toEqual({ repository: 'pkg:git/forge.example/owner/real', commit: HASH });
    expect(await said('mod.example/a/lamp', { Origin: { ...Origin, VCS: 'hg' } })).toBeUndefined();
    expect(await said('mod.example/a/lamp', { Origin: { ...Origin, URL: '/srv/git/lamp' } })).toBeUndefined();
  });

  it('may be any that stands at the beginning of its path', () => {
    const places = (path: string) => golangCommits.mayLieIn?.(artifact(path));

    expect(places('mod.example/lamp/sub/v2')).toEqual(['pkg:git/mod.example/lamp/sub', 'pkg:git/mod.example/lamp']);
    expect(places('mod.example/lamp.v3')).toEqual(['pkg:git/mod.example/lamp.v3']);
    expect(places('mod.example')).toEqual([]);
    expect(places(`mod.example/${'a/'.repeat(40)}b`)).toHaveLength(15);
  });

  it('is what its path begins with, where the proxy says nothing', async () => {
    expect(await said('forge.example/owner/lamp', {})).toEqual({ repository: 'pkg:git/forge.example/owner/lamp' });
    expect(await said('forge.example/Owner/lamp.v2/sub/v2', { Origin: null })).toEqual({ repository: 'pkg:git/forge.example/Owner/lamp.v2' });
    expect(await said('mod.example/lamp.v3', {})).toEqual({ repository: 'pkg:git/mod.example/lamp.v3' });
    expect(await said('mod.example/lamp', {})).toBeUndefined();
    expect(await said('mod.example/lamp/v2', {})).toBeUndefined();
    expect((await readDeclared(artifact('forge.example/owner/lamp', 'v1.2.3', 'mod'), Buffer.from('module x\n'))).source).toBeUndefined();
  });
});
