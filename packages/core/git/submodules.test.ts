import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPurl } from '../model/index.ts';
import { declaredSubmodules, isRepositoryPurl, submoduleRepository } from './index.ts';

const LAMP = toPurl('pkg:git/git.example/owner/lamp');

describe('what .gitmodules says', () => {
  it('is a path and an address for each name, of which the last line holds', () => {
    const entries = [
      ['submodule.a.b.path', 'libs/b'],
      ['core.path', 'x'],
      ['submodule.a.b.url', '../first'],
      ['submodule.a.b.url', '../last'],
      ['submodule.only-a-path.path', 'p'],
      ['submodule.__proto__.url', '../q'],
      ['submodule.__proto__.path', 'q'],
      ['submodule.path', 'nameless'],
    ].map(([key = '', value = '']) => ({ key, value }));

    expect(declaredSubmodules(entries)).toEqual([
      { path: 'libs/b', url: '../last' },
      { path: 'q', url: '../q' },
    ]);
  });
});

describe('the address of a submodule', () => {
  it.each([
    ['../bulb', 'pkg:git/git.example/owner/bulb'],
    ['../bulb.git', 'pkg:git/git.example/owner/bulb'],
    ['./bulb', 'pkg:git/git.example/owner/lamp/bulb'],
    ['../../other/bulb.git', 'pkg:git/git.example/other/bulb'],
    ['.././../other/bulb', 'pkg:git/git.example/other/bulb'],
    ['https://forge.example/a/b.git', 'pkg:git/forge.example/a/b'],
    ['git@forge.example:a/b.git', 'pkg:git/forge.example/a/b'],
    ['https://user:secret@forge.example/a/b', 'pkg:git/forge.example/a/b'],
  ])('%j leads to a repository', (url, purl) => {
    expect(submoduleRepository(LAMP, url)).toBe(purl);
  });

  it.each([
    ['a way out of the host', '../../../bulb'],
    ['a way back in the middle', '../x/../bulb'],
    ['steps without an end', `${'./'.repeat(40)}bulb`],
    ['only steps', '../../'],
    ['a helper', 'ext::sh -c touch% x'],
    ['a helper behind steps', '../ext::sh -c x/../y'],
    ['an option', '--upload-pack=touch x'],
    ['an option behind a step', '../--upload-pack=x'],
    ['a file', 'file:///srv/git/bulb'],
    ['a path', '/srv/git/bulb'],
    ['a path without a step', 'bulb'],
    ['a NUL', 'https://forge.example/a\0/b'],
    ['nothing', ''],
    ['4 KB', `https://forge.example/${'a'.repeat(4096)}`],
  ])('%s is none: %j', (_, url) => {
    expect(submoduleRepository(LAMP, url)).toBeUndefined();
  });

  it('leads to a repository or nowhere, whatever it is', () => {
    const piece = fc.constantFrom(
      './',
      '../',
      'a',
      '/',
      '..',
      '-',
      'ext::',
      'file://',
      'https://',
      'git.example',
      ':',
      '@',
      ' ',
      '%2e%2e',
      '\\',
      '.git',
      '?',
      '#',
    );

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const purl = submoduleRepository(LAMP, pieces.join(''));
        if (purl !== undefined) expect(isRepositoryPurl(purl)).toBe(true);
      }),
    );
  });
});
