import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSpool } from './index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-spool-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a spool', () => {
  it('is read while it is written, by position', async () => {
    const spool = await openSpool(folder);
    await spool.append(Buffer.from('hello '));
    const first = await spool.read(0, 100);
    await spool.append(Buffer.from('world'));

    expect([first, await spool.read(6, 3), await spool.read(9, 100), await spool.read(11, 100), await spool.read(50, 1)].map(String)).toEqual([
      'hello ',
      'wor',
      'ld',
      '',
      '',
    ]);
    await spool.close();
  });

  it('has no name that a dying process could leave behind', async () => {
    const spool = await openSpool(join(folder, 'deep'));
    await spool.append(Buffer.from('x'));

    expect(await readdir(join(folder, 'deep'))).toEqual([]);
    await spool.close();
  });

  it('says that a folder can not be written', async () => {
    await writeFile(join(folder, 'file'), '');

    await expect(openSpool(join(folder, 'file'))).rejects.toMatchObject({ name: 'StoreError' });
  });
});
