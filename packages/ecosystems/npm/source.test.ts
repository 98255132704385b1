import { expect, it } from 'vitest';
import { sourceOf } from './source.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

it.each([
  [{ repository: 'https://forge.example/owner/name' }, { repository: 'pkg:git/forge.example/owner/name' }],
  [
    { repository: { type: 'git', url: 'git+ssh://git@forge.example/owner/name.git', directory: './packages/a/' }, gitHead: COMMIT },
    { repository: 'pkg:git/forge.example/owner/name', commit: COMMIT, directory: 'packages/a' },
  ],
  [{ repository: { url: 'https://forge.example/owner/name', directory: '../other' }, gitHead: 'main' }, { repository: 'pkg:git/forge.example/owner/name' }],
  // No fact can hold half a character.
  [{ repository: { url: 'https://forge.example/owner/name', directory: 'a\ud800' } }, { repository: 'pkg:git/forge.example/owner/name' }],
])('reads %j', (manifest, source) => {
  expect(sourceOf(manifest)).toEqual(source);
});

it('understands the short forms that npm does', () => {
  const [short, page] = [sourceOf({ repository: 'gitlab:owner/name' }), sourceOf({ repository: 'https://gitlab.com/owner/name/' })];

  expect(short?.repository).toMatch(/^pkg:git\/[a-z.]+\/owner\/name$/);
  expect(short).toEqual(page);
});

it.each([
  {},
  { repository: 7 },
  { repository: {} },
  { repository: 'file:../x' },
  { repository: { url: '--upload-pack=x' } },
  { repository: 'x'.repeat(100_000) },
])('claims nothing by %j', (manifest) => {
  expect(sourceOf(manifest)).toBeUndefined();
});
