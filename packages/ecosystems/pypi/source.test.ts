import { expect, it } from 'vitest';
import { sourceOf } from './source.ts';

it('takes what is best labelled as the place of the source', () => {
  const urls = ['Homepage, https://name.example/', 'Code, https://other.example/a/b', 'Source Code, https://forge.example/owner/name'];

  expect(sourceOf(urls)).toEqual({ repository: 'pkg:git/forge.example/owner/name' });
});

it('goes on to the next label where the first leads to no repository', () => {
  expect(sourceOf(['source, https://forge.example/', 'repository, https://forge.example/owner/name.git'])).toEqual({
    repository: 'pkg:git/forge.example/owner/name',
  });
});

it.each([[[]], [['Homepage, https://forge.example/owner/name']], [['source']], [[`source, ${'x'.repeat(10_000)}`]]])('claims nothing by %j', (urls) => {
  expect(sourceOf(urls)).toBeUndefined();
});
