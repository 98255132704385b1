import { EcosystemError } from '@granary/contract/ecosystem';
import { describe, expect, it } from 'vitest';
import { golangDemand } from './demand.ts';
import { lockedByGoSum } from './lockfiles.ts';

const h1 = (letter: string) => `h1:${letter.repeat(43)}=`;

describe('go.sum', () => {
  it('wants the zip of what it has the zip of, and else no more than the go.mod', () => {
    const text = `github.com/BurntSushi/toml v1.3.2 ${h1('a')}\ngithub.com/BurntSushi/toml v1.3.2/go.mod ${h1('b')}\nmod.example/lamp v1.0.0/go.mod ${h1('c')}\n`;

    expect(lockedByGoSum('go.sum', text)).toEqual([
      {
        name: 'github.com/BurntSushi/toml',
        version: 'v1.3.2',
        digests: [],
        files: [
          { fileName: 'v1.3.2.info', digests: {} },
          { fileName: 'v1.3.2.mod', digests: { h1: h1('b') } },
          { fileName: 'v1.3.2.zip', digests: { h1: h1('a') } },
        ],
      },
      {
        name: 'mod.example/lamp',
        version: 'v1.0.0',
        digests: [],
        files: [
          { fileName: 'v1.0.0.info', digests: {} },
          { fileName: 'v1.0.0.mod', digests: { h1: h1('c') } },
        ],
      },
    ]);
  });

  it.each([
    ['a line that is none', `mod.example/lamp v1.0.0\n`, 'go.sum:1: expected a module'],
    ['a path that leads elsewhere', `mod.example/lamp v1.0.0 ${h1('a')}\n../x v1.0.0 ${h1('a')}\n`, 'go.sum:2: expected a module'],
    ['two hashes of one file', `mod.example/lamp v1.0.0 ${h1('a')}\nmod.example/lamp v1.0.0 ${h1('b')}\n`, 'go.sum:2: mod.example/lamp v1.0.0 has two hashes'],
  ])('refuses %s', (_, text, why) => {
    expect(() => lockedByGoSum('go.sum', text)).toThrow(why);
  });
});

describe('a wish', () => {
  it('is a module, in whatever way its path is written', () => {
    const requirements = ['github.com/BurntSushi/toml@v1.3.2'];

    for (const text of ['pkg:golang/github.com/BurntSushi/toml@v1.3.2', 'pkg:golang/github.com/%21burnt%21sushi/toml@v1.3.2?type=module#cmd/tomlv'])
      expect(golangDemand.wishOfPurl(text)).toEqual({ type: 'requirements', label: text, requirements });
    expect(golangDemand.wishOfPurl('pkg:golang/docker.example/docker@v24.0.7%2Bincompatible')).toMatchObject({
      requirements: ['docker.example/docker@v24.0.7+incompatible'],
    });
    expect(golangDemand.wishOfPurl('pkg:npm/toml')).toBeUndefined();
  });

  it.each([
    'pkg:golang/fmt',
    'pkg:golang/mod.example/lamp@1.0.0',
    'pkg:golang/mod.example/lamp@v1',
    'pkg:golang/mod.example/lamp@v1.0.0?vers=vers:golang/%3Ev1',
    'pkg:golang/%E0%A4%A',
  ])('is not %s', (text) => {
    expect(() => golangDemand.wishOfPurl(text)).toThrow(EcosystemError);
  });
});
