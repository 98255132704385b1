import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json, parseCanonicalJson } from './index.ts';

const portable = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    // Member names that look like numbers come back from JSON.parse in another order than they were written in.
    fc.dictionary(fc.oneof(fc.string({ unit: 'binary' }), fc.nat(100).map(String)), tie('value'), { maxKeys: 5 }),
  ),
})).value;

describe('canonical JSON', () => {
  it('is what the reference implementation writes, in whatever order members come', () => {
    fc.assert(
      fc.property(portable, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
    );
  });

  it('is accepted exactly when it is canonical', () => {
    fc.assert(
      fc.property(portable, (value) => {
        const plain = JSON.stringify(value);
        const canonical = canonicalJson(value);

        expect(parseCanonicalJson(canonical)).toEqual(JSON.parse(canonical));
        expect(parseCanonicalJson(plain) === undefined).toBe(plain !== canonical);
      }),
    );
  });

  it.each([
    '-0',
    '1.0',
    '1e3',
    '9007199254740992',
    '"\\u0061"',
    '"\\ud800"',
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    ' 1',
    '[1, 2]',
    '"/\\/"',
    '['.repeat(40) + ']'.repeat(40),
  ])('refuses %s', (text) => {
    expect(parseCanonicalJson(text)).toBeUndefined();
  });
});
