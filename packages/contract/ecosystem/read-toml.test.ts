import { expect, it } from 'vitest';
import { z } from 'zod';
import { readToml } from './read-toml.ts';

const Lock = z.object({ version: z.number() });

it('reads what the schema takes', () => {
  expect(readToml('a.lock', 'version = 3\n', Lock)).toEqual({ version: 3 });
});

it('says where a file is not TOML', () => {
  expect(() => readToml('a.lock', 'version = 3\nversion', Lock)).toThrow(/^a\.lock:2:\d+: not TOML$/);
});

it('says what of it is not as expected', () => {
  expect(() => readToml('a.lock', 'version = "three"', Lock)).toThrow(/^a\.lock: .*expected number/s);
});

it('refuses depth that would end the stack', () => {
  expect(() => readToml('a.lock', `version = ${'['.repeat(200_000)}`, Lock)).toThrow(/^a\.lock.*: not TOML$/);
});
