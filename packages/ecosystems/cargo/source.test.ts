import { expect, it } from 'vitest';
import { sourceOf } from './source.ts';

const REPOSITORY = 'https://forge.example/owner/name';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

it('reads the repository from the manifest, and the commit from what cargo wrote', () => {
  const vcs = JSON.stringify({ git: { sha1: COMMIT, dirty: true }, path_in_vcs: 'crates/a' });

  expect(sourceOf(REPOSITORY, vcs)).toEqual({ repository: 'pkg:git/forge.example/owner/name', commit: COMMIT, directory: 'crates/a' });
  expect(sourceOf(REPOSITORY, JSON.stringify({ git: { sha1: COMMIT }, path_in_vcs: '' }))).toEqual({
    repository: 'pkg:git/forge.example/owner/name',
    commit: COMMIT,
  });
});

it.each([
  [`${REPOSITORY}/tree/main/crates/a`, 'owner/name'],
  ['https://forge.example/group/owner/name/-/tree/main/a', 'group/owner/name'],
  [`${REPOSITORY}/tree/main`, 'owner/name'],
  ['https://forge.example/owner/tree/name', 'owner/tree/name'],
  ['https://forge.example/owner/tree', 'owner/tree'],
  [`https://forge.example${'/a'.repeat(900)}`, undefined],
])('takes %s for a page of %s', (address, path) => {
  expect(sourceOf(address, undefined)?.repository).toBe(path === undefined ? undefined : `pkg:git/forge.example/${path}`);
});

it.each([undefined, '', '{', '{"git":{"sha1":7}}', `{"git":{"sha1":"${'g'.repeat(40)}"}}`])('goes without a commit where %j stands', (vcs) => {
  expect(sourceOf(REPOSITORY, vcs)).toEqual({ repository: 'pkg:git/forge.example/owner/name' });
  expect(sourceOf(undefined, vcs)).toBeUndefined();
});
