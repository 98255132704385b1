import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isJsonDeeperThan } from './json-depth.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

it('counts the values in each other of any JSON', () => {
  const strings = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ']', '}', 'a', 'é') });
  const { value } = fc.letrec((again) => ({
    value: fc.oneof({ maxDepth: 5 }, strings, fc.integer(), fc.array(again('value'), { maxLength: 3 }), fc.dictionary(strings, again('value'), { maxKeys: 3 })),
  }));
  fc.assert(
    fc.property(value, fc.nat({ max: 6 }), (json, most) => {
      expect(isJsonDeeperThan(encode(JSON.stringify(json)), most)).toBe(depthOf(json) > most);
    }),
    { numRuns: 2000 },
  );
});

it.each([
  ['a string that never ends', `["[[[${'\\"'.repeat(1000)}`, false],
  ['a string that ends with a backslash', '"[[\\\\"[[', true],
  ['brackets of one kind closed by the other', '[}{]', false],
  ['more that closes than opens', ']][[', false],
  ['nothing', '', false],
] as const)('reads what is no JSON to its end: %s', (_, text, isDeeper) => {
  expect(isJsonDeeperThan(encode(text), 1)).toBe(isDeeper);
});

function depthOf(json: unknown): number {
  if (typeof json !== 'object' || json === null) return 0;
  return 1 + Math.max(0, ...Object.values(json).map(depthOf));
}
