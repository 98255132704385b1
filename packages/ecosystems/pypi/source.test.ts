import hostedGitInfo from 'hosted-git-info';
import { describe, expect, it } from 'vitest';
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

describe("a project's own page", () => {
  // A page of a forge that everybody knows, which this file need not name.
  const page = hostedGitInfo.fromUrl('owner/name')?.browse() ?? '';
  const purl = `pkg:git/${new URL(page).host}/owner/name`;

  it('is its repository where it lies at a well-known forge and nothing is labelled as source', () => {
    expect(sourceOf([], page)).toEqual({ repository: purl });
    expect(sourceOf(['Issues, https://other.example/a/b', `Homepage, ${page}#readme`], 'https://name.example/')).toEqual({ repository: purl });
    expect(sourceOf(['Source, https://forge.example/the/source'], page)).toEqual({ repository: 'pkg:git/forge.example/the/source' });
  });

  it.each([
    'https://forge.example/owner/name',
    `${page}/issues`,
    page.slice(0, page.lastIndexOf('/')),
    'owner/name',
    page.replace('https:', 'file:'),
    `${page}?${'x'.repeat(2048)}`,
  ])('is none elsewhere: %s', (other) => {
    expect(sourceOf([`Documentation, ${page}`], other)).toBeUndefined();
  });
});
