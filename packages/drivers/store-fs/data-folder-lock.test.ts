import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDataFolder, openFsStore } from './index.ts';
import { scratchFolder } from './test/scratch-folder.ts';

async function holder(folder: string): Promise<{ readonly pid: number | undefined; kill(): Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'test/folder-holder.ts'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  return {
    pid: child.pid,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('the lock of a data folder', () => {
  it('keeps a second process out, and says which one has it and what to do', async () => {
    const folder = await scratchFolder();
    const other = await holder(folder);

    const second = lockDataFolder(folder, { purpose: 'test' });

    await expect(second).rejects.toMatchObject({ name: 'StoreError', code: 'in-use' });
    await expect(second).rejects.toThrow(`process ${other.pid} (granary up) works in ${folder}: stop it`);
  });

  it('ends with its process, killed or not', async () => {
    const folder = await scratchFolder();
    await (await holder(folder)).kill();

    await using lock = await lockDataFolder(folder, { purpose: 'test' });

    expect(lock).toBeDefined();
  });

  it('keeps out another part of the same process, until it is released', async () => {
    const folder = await scratchFolder();
    const lock = await lockDataFolder(folder, { purpose: 'test' });
    await expect(lockDataFolder(folder, { purpose: 'again' })).rejects.toMatchObject({ code: 'in-use' });

    await lock.release();
    await lock.release();

    await using next = await lockDataFolder(folder, { purpose: 'again' });
    expect(next).toBeDefined();
  });

  it('does not hinder readers, and is not lost by their reading', async () => {
    const folder = await scratchFolder();
    await using lock = await lockDataFolder(folder, { purpose: 'test' });

    const { objects } = await openFsStore(folder);

    expect(await Array.fromAsync(objects.list(''))).toEqual([]);
    await expect(lockDataFolder(folder, { purpose: 'again' })).rejects.toMatchObject({ code: 'in-use' });
    expect(lock).toBeDefined();
  });

  it('makes the folder when there is none', async () => {
    await using lock = await lockDataFolder(join(await scratchFolder(), 'new', 'data'), { purpose: 'test' });

    expect(lock).toBeDefined();
  });
});
