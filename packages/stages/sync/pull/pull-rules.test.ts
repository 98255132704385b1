import { parsePurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { pullPermits } from './pull-rules.ts';

const permits = (rules: { readonly allow?: readonly string[]; readonly deny?: readonly string[] }, text: string) => {
  const purl = parsePurl(text);
  return purl !== undefined && pullPermits({ allow: ['*'], deny: [], ...rules })(purl);
};

it('permits anything unless it is told otherwise', () => {
  expect(permits({}, 'pkg:npm/%40acme/box@1.0.0?file_name=box-1.0.0.tgz')).toBe(true);
});

it.each([
  ['pkg:npm/@acme/*', 'pkg:npm/%40acme/box', true],
  ['pkg:npm/@acme/*', 'pkg:npm/%40acme/box@1.0.0?file_name=box-1.0.0.tgz', true],
  ['pkg:npm/@acme/*', 'pkg:npm/box', false],
  ['pkg:golang/example.org/*', 'pkg:golang/example.org/a/b@v1.0.0', true],
  ['pkg:pypi/flask', 'pkg:pypi/flask-login', false],
  ['pkg:pypi/flask@3.*', 'pkg:pypi/flask', true],
  ['pkg:pypi/flask@3.*', 'pkg:pypi/flask@3.0.3', true],
  ['pkg:pypi/flask@3.*', 'pkg:pypi/flask@2.0', false],
  ['pkg:pypi/a.c', 'pkg:pypi/abc', false],
])('allows by %s of %s: %s', (pattern, purl, expected) => {
  expect(permits({ allow: [pattern] }, purl)).toBe(expected);
});

it.each([
  ['pkg:pypi/flask', 'pkg:pypi/flask@3.0', false],
  ['pkg:pypi/flask@3.*', 'pkg:pypi/flask', true],
  ['pkg:pypi/flask@3.*', 'pkg:pypi/flask@3.0?file_name=flask-3.0.tar.gz', false],
  ['pkg:pypi/flask@3.*', 'pkg:pypi/flask@2.0', true],
])('denies by %s of %s what else is allowed: %s', (pattern, purl, expected) => {
  expect(permits({ deny: [pattern] }, purl)).toBe(expected);
});
