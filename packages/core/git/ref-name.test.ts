import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isRefName, MAX_REF_NAME_BYTES } from './index.ts';

const gitSays = (name: string): boolean => spawnSync('git', ['check-ref-format', name]).status === 0;

it.each([
  'refs/heads/main',
  'refs/heads/-x',
  'refs/heads/a/b@c',
  'refs/heads/@',
  'refs/tags/v1.0',
  'refs/heads/ünï',
  'refs/x',
  'refs/heads/__proto__',
  'refs/heads/a}b{',
])('takes %j, as git does', (name) => {
  expect([isRefName(name), gitSays(name)]).toEqual([true, true]);
});

it.each([
  'refs/heads/',
  'refs//heads',
  'refs/heads/.a',
  'refs/heads/a..b',
  'refs/heads/a.lock',
  'refs/heads/a.lock/b',
  'refs/heads/a.',
  'refs/heads/a b',
  'refs/heads/a\tb',
  'refs/heads/a\x7f',
  'refs/heads/a@{1}',
  'refs/heads/a~1',
  'refs/heads/a^',
  'refs/heads/a:b',
  'refs/heads/a?',
  'refs/heads/*',
  'refs/heads/[',
  'refs/heads/a\\b',
  'refs/./a',
  'refs/../a',
])('refuses %j, as git does', (name) => {
  expect([isRefName(name), gitSays(name)]).toEqual([false, false]);
});

it.each(['HEAD', 'heads/main', 'refs', 'refs/', '__proto__', '', '@', 'refs/heads/\ud800', 'refs/heads/a\0b'])('takes %j for no full name', (name) => {
  expect(isRefName(name)).toBe(false);
});

it('takes no name with a blank at its end that git would take', () => {
  expect(['refs/heads/a\u00a0', 'refs/heads/a\u3000', 'refs/heads/a\u00a0b'].map((name) => [isRefName(name), gitSays(name)])).toEqual([
    [false, true],
    [false, true],
    [true, true],
  ]);
});

it('counts the bytes of a name', () => {
  const [fits, long] = [MAX_REF_NAME_BYTES, MAX_REF_NAME_BYTES + 1].map((size) => `refs/heads/${'n'.repeat(size - 11)}`);

  expect([fits, long].map((name) => isRefName(name ?? ''))).toEqual([true, false]);
  expect([500, 506, 507].map((count) => isRefName(`refs/heads/${'é'.repeat(count)}`))).toEqual([true, true, false]);
});

it('agrees with git on names of any kind', () => {
  const piece = fc.constantFrom('a', '.', '..', '/', '.lock', '@', '{', '@{', '-', '~', ' ', '\t', '\\', 'é', '*', ':', 'lock', '}', '\x7f', '\x01');

  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const name = `refs/${pieces.join('')}`;
      expect(isRefName(name)).toBe(gitSays(name));
    }),
    { numRuns: 200 },
  );
});
