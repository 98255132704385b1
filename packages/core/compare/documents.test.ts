import { describe, expect, it } from 'vitest';
import { compareDocuments, type DocumentNormalizer } from './documents.ts';
import { decodeComparison, encodeComparison } from './encode.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const rule = (name: string, change: (text: string) => string | undefined): DocumentNormalizer => ({
  ref: { name, version: 1, reason: 'a test' },
  apply: (document) => {
    const changed = change(new TextDecoder().decode(document));
    return changed === undefined ? undefined : bytes(changed);
  },
});
const LOWER = rule('lower', (text) => text.toLowerCase());
const TRIM = rule('trim', (text) => text.trim());
const compare = (upstream: string, rebuild: string | undefined, normalizers: readonly DocumentNormalizer[] = []) =>
  compareDocuments({ fileName: 'a.mod', upstream: bytes(upstream), rebuild: rebuild === undefined ? undefined : bytes(rebuild), normalizers });

describe('a file that is no archive', () => {
  it('is identical by its bytes alone, whatever the rules make of them', () => {
    expect(compare('a', 'a', [rule('unreadable', () => undefined)])).toMatchObject({ rung: 'identical', needed: [], residue: [] });
  });

  it('is equivalent by those rules that it needs', () => {
    const both = compare('A ', 'a', [LOWER, TRIM]);
    const one = compare('A', 'a', [LOWER, TRIM]);

    expect([both.rung, both.needed.map(({ name }) => name)]).toEqual(['equivalent', ['lower', 'trim']]);
    expect([one.rung, one.needed.map(({ name }) => name), one.normalizedSha256]).toEqual(['equivalent', ['lower'], both.normalizedSha256]);
    expect(decodeComparison(encodeComparison(both))).toEqual(both);
  });

  it('differs, and says how', () => {
    expect(compare('one\n', 'two\n', [LOWER])).toMatchObject({
      rung: 'none',
      residue: [
        { path: 'a.mod', kind: 'content', cause: 'content-unexplained', detail: '4 bytes upstream, 4 in the rebuild', diff: expect.stringMatching(/-one/) },
      ],
    });
    expect(compare('a\r\n', 'a\n').residue).toMatchObject([{ cause: 'line-endings' }]);
    expect(compare('a\0', 'b\0').residue).toMatchObject([{ detail: 'binary, 2 bytes upstream, 2 in the rebuild, first different byte at 0' }]);
  });

  it('differs for the reason that whoever knows such files gives, if any', () => {
    const because = (cause: 'build-metadata' | undefined) =>
      compareDocuments({ fileName: 'a.mod', upstream: bytes('a'), rebuild: bytes('b'), normalizers: [], causeOf: () => cause }).residue[0]?.cause;

    expect([because('build-metadata'), because(undefined)]).toEqual(['build-metadata', 'content-unexplained']);
  });

  it('differs where a rule cannot read one of the two', () => {
    const picky = rule('picky', (text) => (text === 'a' ? text : undefined));

    expect([compare('b', 'a', [picky]).rung, compare('a', 'b', [picky]).rung]).toEqual(['none', 'none']);
  });

  it('is more than its source gives, where that makes none of it', () => {
    expect(compare('a', undefined, [LOWER])).toMatchObject({
      rung: 'none',
      residue: [{ path: 'a.mod', kind: 'only-upstream', cause: 'extra-upstream-files', detail: '1 bytes; the source gives no such file' }],
    });
  });
});
