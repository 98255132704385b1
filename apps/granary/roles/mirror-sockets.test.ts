import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openMirrorSockets } from './mirror-sockets.ts';

const nothing = { serve: { only: () => () => ({ status: 404, headers: [] }) }, ledgerSize: () => 0 };
/** Above the largest that Linux gives out. */
const DEAD = 2 ** 22 + 1;

it('removes the sockets of processes that died, and leaves those of the living alone', async () => {
  const root = await mkdtemp(join(tmpdir(), 'granary-sockets-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const notesDir = join(root, 'notes');
  const left = join(root, `granary-${randomUUID()}`);
  await mkdir(notesDir);
  await mkdir(left);
  await writeFile(join(left, '1.sock'), '');
  await writeFile(join(notesDir, `${DEAD}-x`), left);
  const living = await openMirrorSockets({ ...nothing, notesDir });
  const [note = ''] = await readdir(notesDir);
  const folder = await readFile(join(notesDir, note), 'utf8');

  const second = await openMirrorSockets({ ...nothing, notesDir });

  await expect(stat(left)).rejects.toThrow('ENOENT');
  expect((await stat(folder)).isDirectory()).toBe(true);
  await second[Symbol.asyncDispose]();
  await living[Symbol.asyncDispose]();
  await expect(stat(folder)).rejects.toThrow('ENOENT');
  expect(await readdir(notesDir)).toEqual([]);
});
