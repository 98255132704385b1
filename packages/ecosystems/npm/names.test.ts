import { toPurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPurl, isPackageName, isVersion, nameOf, packagePurl, usualFileName } from './names.ts';

describe('a name', () => {
  it.each(['express', '@types/node', 'JSONStream', 'jsonstream', '-', 'a.b_c~d', "l!'()*", '@Scope/Name'])('%s comes back from its purl', (name) => {
    expect(isPackageName(name)).toBe(true);
    expect(nameOf(toPurl(packagePurl(name)))).toBe(name);
  });

  it.each([
    '',
    '.',
    '..',
    '.npmrc',
    '_all',
    '@a',
    '@a/',
    '@/a',
    'a/b',
    '@a/b/c',
    '@a/../b',
    '@a/.b',
    'a b',
    'a%2fb',
    'node_modules',
    'favicon.ico',
    'x'.repeat(215),
  ])('%j is none', (name) => {
    expect(isPackageName(name)).toBe(false);
  });

  it('keeps two packages apart that differ in capitals only', () => {
    expect(packagePurl('JSONStream')).not.toBe(packagePurl('jsonstream'));
  });

  it('writes scoped tarballs as upstream does', () => {
    expect(artifactPurl('@types/node', '1.2.3', usualFileName('@types/node', '1.2.3'))).toBe('pkg:npm/%40types/node@1.2.3?file_name=node-1.2.3.tgz');
  });
});

it.each([
  ['1.2.3', true],
  ['1.0.0-beta.1+build', true],
  ['0.1.0beta', true],
  ['v1.0.0', false],
  ['__proto__', false],
  ['1.0', false],
  ['1.0.0/../x', false],
])('%s is a version: %s', (version, expected) => {
  expect(isVersion(version)).toBe(expected);
});
