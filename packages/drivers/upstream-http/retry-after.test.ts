import { toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const now = toInstant(Date.UTC(2026, 0, 1));

it.each([
  ['3', 3000],
  ['Thu, 01 Jan 2026 00:00:05 GMT', 5000],
  ['Wed, 31 Dec 2025 00:00:05 GMT', 0],
  ['soon', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  [undefined, undefined],
])('reads Retry-After %s', (header, expected) => {
  expect(retryAfterMs(header, now)).toBe(expected);
});
