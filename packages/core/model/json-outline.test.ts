import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonMember, outlineJson, textOf } from './json-outline.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const outline = (text: string, within: readonly string[] = []) => outlineJson(encode(text), { maxDepth: 50, maxMembers: 100, within });

/** What JSON.parse makes of the whole, or that it refuses it. */
function parsed(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder().decode(bytes)) };
  } catch {
    return undefined;
  }
}

/** What is made of the parts, one by one. The last of a name counts. */
function assembled(bytes: Uint8Array, members: readonly JsonMember[]): unknown {
  return Object.fromEntries(members.map(({ name, start, end }) => [name, JSON.parse(textOf(bytes, start, end))]));
}

function expectLikeJsonParse(bytes: Uint8Array): void {
  const whole = parsed(bytes);
  const found = outlineJson(bytes, { maxDepth: 10_000, maxMembers: 10_000, within: ['a'] });
  if (whole === undefined) {
    expect(found.type).toBe('malformed');
    return;
  }
  const { value } = whole;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  expect(found.type).toBe(isObject ? 'object' : 'other');
  if (found.type !== 'object') return;
  expect(assembled(bytes, found.members)).toEqual(value);
  for (const { members, start, end } of found.members) {
    if (members !== undefined) expect(assembled(bytes, members)).toEqual(JSON.parse(textOf(bytes, start, end)));
  }
}

describe('an outline', () => {
  it('says where the members of an object lie, and those of a member that is asked for', () => {
    const text = '{"a": {"b" : [1], "\\u0063":""}, "b":{"d":1}, "e":null}';

    const found = outline(text, ['a', 'e']);

    if (found.type !== 'object') throw new Error(found.type);
    const shown = (members: readonly JsonMember[] = []) => members.map(({ name, start, end }) => [name, text.slice(start, end)]);
    expect(shown(found.members)).toEqual([
      ['a', '{"b" : [1], "\\u0063":""}'],
      ['b', '{"d":1}'],
      ['e', 'null'],
    ]);
    expect(found.members.map(({ members }) => members && shown(members))).toEqual([
      [
        ['b', '[1]'],
        ['c', '""'],
      ],
      undefined,
      undefined,
    ]);
  });

  it.each(['[{}]', ' "text"', '12', 'true', '\uFEFF[]'])('of %j says that it is no object', (text) => {
    expect(outline(text)).toEqual({ type: 'other' });
  });

  it.each([
    ['', 0],
    ['{"a":1', 6],
    ['{"a":1}}', 7],
    ['{"a":1,}', 7],
    ['{a:1}', 1],
    ['{"a" 1}', 5],
    ['[1 2]', 3],
    ['"a\nb"', 2],
    ['"\\x"', 2],
    ['"\\u00g0"', 5],
    ['01', 1],
    ['-', 1],
    ['1.', 2],
    ['1e+', 3],
    ['nul', 3],
    ['NaN', 0],
    ['"open', 5],
  ])('of %j says where it ceases to be JSON', (text, at) => {
    expect(outline(text)).toEqual({ type: 'malformed', at });
  });

  it.each([
    ['lists', (depth: number) => '['.repeat(depth) + ']'.repeat(depth)],
    ['objects', (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`],
  ])('does not go down into %s for ever', (_, nested) => {
    expect(outline(nested(50)).type).not.toBe('too-deep');
    expect(outline(nested(51))).toEqual({ type: 'too-deep' });
    expect(outline(nested(1_000_000))).toEqual({ type: 'too-deep' });
  });
});

describe('the members of an outline', () => {
  it.each([
    ['of the outermost object', (count: number) => `{${'"":1,'.repeat(count - 1)}"":1}`],
    ['of one that is asked for, whose name comes again and again', (count: number) => `{${'"a":{},'.repeat(count - 2)}"a":{"":1}}`],
  ])('%s are counted, also those that are told again', (_, written) => {
    expect(outline(written(100), ['a']).type).toBe('object');
    expect(outline(written(101), ['a'])).toEqual({ type: 'too-many' });
  });
});

describe('what is an outline and what is not', () => {
  it('is what JSON.parse says of any JSON, however it is written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, space) => void expectLikeJsonParse(encode(JSON.stringify(value, null, space)))),
    );
  });

  it('is what JSON.parse says of what was damaged on the way', () => {
    const damaged = fc
      .tuple(fc.jsonValue(), fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...encode('"\\{}[]:,-+.eE019u \n')))), { maxLength: 3 }))
      .map(([value, changes]) => {
        const bytes = encode(JSON.stringify({ a: value, b: [value] }));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(damaged, (bytes) => void expectLikeJsonParse(bytes)),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['bytes that are no UTF-8, in names and values', [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x22, 0xe2, 0x22, 0x7d]],
    ['two byte order marks', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['a NUL at the end', [0x7b, 0x7d, 0x00]],
    ['__proto__, twice', [...encode('{"__proto__":1,"__proto__":{"a":1}}')]],
    ['half of a surrogate pair', [...encode('{"a":"\\ud800"}')]],
  ])('is what JSON.parse says of %s', (_, bytes) => {
    expectLikeJsonParse(Uint8Array.from(bytes));
  });

  it('is what JSON.parse says of anything made of the letters of JSON', () => {
    const letters = fc.array(
      fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '"', '\\', '\\u0041', '1', '-0', '.5', 'e1', 'true', 'null', ' ', '\n', 'ä', '\uFEFF'),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(letters, (parts) => void expectLikeJsonParse(encode(parts.join('')))),
      { numRuns: 5000 },
    );
  });
});
