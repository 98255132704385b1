import { expect, it } from 'vitest';
import { isSpdxExpression, spdxExpressionOf } from './licence.ts';

it.each([
  ['MIT', 'MIT'],
  ['MIT OR Apache-2.0', 'MIT OR Apache-2.0'],
  ['MIT License', 'MIT'],
  ['Apache 2', 'Apache-2.0'],
  ['as you like it', undefined],
  ['', undefined],
  [' ', undefined],
  [`MIT${' OR MIT'.repeat(100)}`, `MIT${' OR MIT'.repeat(100)}`],
  [`MIT${' OR MIT'.repeat(200)}`, undefined],
  [`MIT License${' of our own making'.repeat(10)}`, undefined],
])('reads %j as %s', (text, expected) => {
  expect(spdxExpressionOf(text)).toBe(expected);
});

it('takes no text for an expression that only means one', () => {
  expect(isSpdxExpression('MIT License')).toBe(false);
});

it('does not read a licence of a thousand brackets', () => {
  expect(isSpdxExpression(`${'('.repeat(1000)}MIT${')'.repeat(1000)}`)).toBe(false);
});
