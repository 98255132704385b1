import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { advisoriesFinding } from './advisories-finding.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-advisories-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const write = (id: string, modified: string) =>
  writeFile(join(folder, `${id}.json`), JSON.stringify({ id, modified, affected: [{ package: { ecosystem: 'npm', name: 'wick' } }] }));

it('names the setting where there is none', async () => {
  expect(await advisoriesFinding({})).toMatchObject({ state: 'ok', detail: expect.stringContaining('advisories: {folder: PATH} in granary.yaml') });
});

it('says what a folder has, and how new it is', async () => {
  await write('A-1', '2024-01-01T00:00:00Z');
  await write('A-2', '2025-01-01T00:00:00Z');

  expect(await advisoriesFinding({ advisories: { folder } })).toEqual({
    state: 'ok',
    what: 'advisories',
    detail: `${folder}: 2 in force, for 1 packages of npm; the newest was changed at 2025-01-01T00:00:00Z`,
  });
});

it('names what can not be read', async () => {
  await write('A-1', '2024-01-01T00:00:00Z');
  await writeFile(join(folder, 'B-1.json'), '{');

  expect(await advisoriesFinding({ advisories: { folder } })).toMatchObject({ state: 'weak', detail: expect.stringContaining('B-1.json (not JSON)') });
});

it('misses a folder that is empty, or is not there', async () => {
  expect(await advisoriesFinding({ advisories: { folder } })).toMatchObject({ state: 'missing', detail: expect.stringContaining('no advisories') });
  expect(await advisoriesFinding({ advisories: { folder: join(folder, 'none') } })).toMatchObject({
    state: 'missing',
    detail: expect.stringContaining('ENOENT'),
  });
});
