import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findWatchable } from './find-watchable.ts';

const BOM = '{"bomFormat":"CycloneDX","specVersion":"1.5"}';

async function openFolder() {
  const cwd = await mkdtemp(join(tmpdir(), 'granary-watchable-'));
  const add = async (path: string, text = BOM) => {
    await mkdir(join(cwd, path, '..'), { recursive: true });
    await writeFile(join(cwd, path), text);
  };
  return { cwd, add, place: { watch: [], file: join(cwd, 'granary.yaml'), cwd } };
}

it('searches a folder to a depth, not through links, and not in what others put there', async () => {
  const { cwd, add, place } = await openFolder();
  const deep = `product/${'d/'.repeat(9)}bom.json`;
  for (const path of ['product/bom.json', 'product/a/b.cdx.json', 'product/vendor/bom.json', 'elsewhere/bom.json', deep]) await add(path);
  await symlink(join(cwd, 'elsewhere'), join(cwd, 'product/linked'));
  await symlink(join(cwd, 'elsewhere/bom.json'), join(cwd, 'product/sbom.json'));

  const { items, left } = await findWatchable(place, 'product');

  expect(items.map(({ specification }) => specification)).toEqual(['product/bom.json', 'product/a/b.cdx.json']);
  expect(left.map(({ path, why }) => [path, why])).toEqual([
    ['sbom.json', 'not a plain file'],
    ['vendor', 'holds what others made'],
    ['d/d/d/d/d/d/d/d/d', 'more than 8 folders down'],
  ]);
});

it('calls a file by its path from the configuration, as the configuration has it, or by all of it when it lies elsewhere', async () => {
  const { cwd, add, place } = await openFolder();
  await add('product/bom.json');
  const line = { specification: './product/../product/bom.json', path: join(cwd, 'product/bom.json'), at: '' };
  const labelOf = async (given: Parameters<typeof findWatchable>[0]) => (await findWatchable(given, join(cwd, 'product/bom.json'))).items[0]?.specification;

  expect(await labelOf({ ...place, cwd: tmpdir() })).toBe('product/bom.json');
  expect(await labelOf({ ...place, watch: [line] })).toBe('./product/../product/bom.json');
  expect(await labelOf({ ...place, file: join(cwd, 'config/granary.yaml') })).toBe(join(cwd, 'product/bom.json'));
});

it('refuses what it does not understand, and what is not there', async () => {
  const { add, place } = await openFolder();
  await add('notes.json', '{}');
  await add('bom.json', '{"bomFormat":"CycloneDX","specVersion":"0.1"}');

  await expect(findWatchable(place, 'notes.json')).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('no ecosystem knows this') });
  await expect(findWatchable(place, 'bom.json')).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('not CycloneDX 1.4 to 1.6') });
  await expect(findWatchable(place, 'gone.lock')).rejects.toMatchObject({ code: 'not-found' });
  await expect(findWatchable(place, `pkg:pypi/${'x'.repeat(2000)}`)).rejects.toMatchObject({ code: 'usage' });
});

it('names manifests that nobody has locked, and what makes a lock of them', async () => {
  const { add, place } = await openFolder();
  for (const name of ['bom.json', 'web/package.json', 'service/pyproject.toml', 'tool/go.mod', 'engine/Cargo.toml']) await add(`product/${name}`);
  await add('product/workspace/Cargo.lock', 'version = 4\n');
  for (const name of ['Cargo.toml', 'member/Cargo.toml']) await add(`product/workspace/${name}`);

  const { items, left } = await findWatchable(place, 'product');

  expect(items.map(({ specification }) => specification)).toEqual(['product/bom.json', 'product/workspace/Cargo.lock']);
  expect(left.map(({ path, why }) => [path, /run (.*) beside it/.exec(why)?.[1]])).toEqual([
    ['engine/Cargo.toml', 'cargo generate-lockfile'],
    ['service/pyproject.toml', 'uv lock'],
    ['tool/go.mod', 'go mod tidy'],
    ['web/package.json', 'npm install --package-lock-only'],
  ]);
  await expect(findWatchable(place, 'product/web/package.json')).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('run npm install --package-lock-only beside it'),
  });
  await add('bare/package.json', '{}');
  await expect(findWatchable(place, 'bare')).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('npm install --package-lock-only') });
});
