import { expect, it } from 'vitest';
import { matchesMember } from './member-pattern.ts';

it.each([
  ['crates/*', 'crates/oil', true],
  ['./crates/*/', 'crates/oil', true],
  ['crates/*', 'crates/oil/deep', false],
  ['crates/wick-?', 'crates/wick-1', true],
  ['crates/wick-*-sys', 'crates/wick-a-b-sys', true],
  ['crates/wick-*-sys', 'crates/wick-sys', false],
  ['**', 'a/b', true],
  ['crates/**/sys', 'crates/a/b/sys', true],
  ['crates/**', 'other/a', false],
  ['**/a/**', 'b/a/c', false],
  ['crates/a.b', 'crates/axb', false],
  [`${'a*'.repeat(200)}b`, 'a'.repeat(4000), false],
])('%s names %s: %s', (pattern, folder, expected) => {
  expect(matchesMember(pattern, folder)).toBe(expected);
});
