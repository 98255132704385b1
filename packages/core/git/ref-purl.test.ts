import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parsePurl, toPurl } from '../model/index.ts';
import { isRefName, refPurl } from './index.ts';

const repository = toPurl('pkg:git/git.example/owner/name');

it('a ref stands behind its repository', () => {
  expect(refPurl(repository, 'refs/heads/a+b/c#d%2e')).toBe('pkg:git/git.example/owner/name#refs/heads/a%2Bb/c%23d%252e');
});

it('a ref is never taken for another, whatever its name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const name = `refs/heads/${text}`;
      fc.pre(isRefName(name));
      const purl = refPurl(repository, name);

      expect(parsePurl(purl)).toBe(purl);
      expect(decodeURIComponent(purl.slice(repository.length + 1))).toBe(name);
    }),
    { numRuns: 2000, examples: [['\u00a0'], ['a\u00a0/b'], ['a\ufeff']] },
  );
});
