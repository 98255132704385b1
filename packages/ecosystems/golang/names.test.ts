import { packageOf, parsePurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPath, artifactPurl, escapeCase, isModulePath, modulePurl, pathOf, unescapeCase } from './names.ts';
import { compareVersions, isPseudoVersion, isVersion, newestVersion } from './versions.ts';

describe('a module path', () => {
  it.each(['github.com/BurntSushi/toml', 'gopkg.in/yaml.v3', 'mod.example/lamp/v2', 'mod.example', 'git.sr.ht/~user/x'])(
    '%s comes back from its purl',
    (path) => {
      const purl = modulePurl(path);

      expect(pathOf(purl)).toBe(path);
      expect(parsePurl(purl)).toBe(purl);
    },
  );

  it.each([
    '',
    'fmt',
    'lamp',
    '../x.example',
    'mod.example/../x',
    'mod.example//x',
    'Mod.example/x',
    'mod.example/a b',
    'mod.example/.hidden',
    'mod.example/x@y',
  ])('is not %j', (path) => {
    expect(isModulePath(path)).toBe(false);
  });

  it('is escaped in addresses, and nothing else reads as escaped', () => {
    expect(escapeCase('github.com/BurntSushi/toml')).toBe('github.com/!burnt!sushi/toml');
    expect(unescapeCase('github.com/!burnt!sushi/toml')).toBe('github.com/BurntSushi/toml');
    expect(['A', '!A', 'a!', '!1'].map(unescapeCase)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('an artifact', () => {
  it.each(['v1.0.0', 'v2.0.0+incompatible', 'v1.0.0-RC1', 'v0.0.0-20240102030405-0123456789ab', 'v0.0.1-go1.23.4.linux-amd64'])(
    'of %s comes back from its purl',
    (version) => {
      const purl = artifactPurl('github.com/BurntSushi/toml', version, 'zip');

      expect(parsePurl(purl)).toBe(purl);
      expect(packageOf(purl)).toBe('pkg:golang/github.com/BurntSushi/toml');
      expect(artifactPath('github.com/BurntSushi/toml', version, 'zip')).toBe(`github.com/!burnt!sushi/toml/@v/${escapeCase(version)}.zip`);
    },
  );
});

describe('a version', () => {
  it.each(['1.0.0', 'v1.0', 'v1', 'v01.0.0', 'v1.0.0+meta', 'latest', 'v1.0.0/../x', ''])('is not %j', (version) => {
    expect(isVersion(version)).toBe(false);
  });

  it('is made from a commit, or is tagged', () => {
    const made = [
      'v0.0.0-20240102030405-0123456789ab',
      'v1.2.4-0.20240102030405-0123456789ab',
      'v1.2.3-pre.0.20240102030405-0123456789ab',
      'v2.0.1-0.20240102030405-0123456789ab+incompatible',
    ];

    expect(made.filter(isPseudoVersion)).toEqual(made);
    expect(made.filter(isVersion)).toEqual(made);
    expect(['v1.0.0', 'v1.0.0-20240102', 'v0.0.1-go1.23.4.linux-amd64'].filter(isPseudoVersion)).toEqual([]);
  });

  it('is newer by SemVer, and releases come before what leads to them', () => {
    expect(['v1.10.0', 'v1.9.0', 'v1.10.0-rc.1'].toSorted(compareVersions)).toEqual(['v1.9.0', 'v1.10.0-rc.1', 'v1.10.0']);
    expect(newestVersion(['v1.9.0', 'v1.10.0-rc.1', 'v1.9.1-0.20240102030405-0123456789ab'])).toBe('v1.9.0');
    expect(newestVersion(['v0.1.0-rc.1', 'v0.2.0-0.20240102030405-0123456789ab'])).toBe('v0.1.0-rc.1');
    expect(newestVersion([])).toBeUndefined();
  });
});
