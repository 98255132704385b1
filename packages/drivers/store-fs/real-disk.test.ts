import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { derivedKey } from '@granary/core/layout';
import { parseSha256, type Sha256, sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { lockDataFolder, openFsStore } from './index.ts';
import { mountedFolder, remount, whyNoMount } from './test/mounted-folder.ts';
import { scratchFolder } from './test/scratch-folder.ts';

const noMount = whyNoMount();
const MAX = { maxBytes: 100_000_000 };

describe('a full disk', () => {
  it('refuses what has no room, keeps what was stored, and goes on when there is room', async ({ skip }) => {
    skip(noMount !== undefined, noMount);
    const folder = await mountedFolder('size=1m');
    const store = await openFsStore(folder);
    await store.objects.putOnce(derivedKey('before'), new Uint8Array(1000).fill(1));
    const large = new Uint8Array(2_000_000).fill(2);

    const blob = store.blobs.put(large, MAX);
    await expect(blob).rejects.toMatchObject({ code: 'disk-full', message: expect.stringContaining(folder) });
    await expect(store.mutable.replace(derivedKey('before'), large)).rejects.toMatchObject({ code: 'disk-full' });

    expect(await store.objects.get(derivedKey('before'), 1000)).toEqual(new Uint8Array(1000).fill(1));
    expect(await store.blobs.size(sha256(large))).toBeUndefined();
    expect(await readdir(join(folder, '.tmp'))).toEqual([]);
    remount(folder, 'size=8m');
    expect(await store.blobs.put(large, MAX)).toEqual({ sha256: sha256(large), sizeBytes: large.length });
  });

  it('is said when there are no inodes left', async ({ skip }) => {
    skip(noMount !== undefined, noMount);
    const folder = await mountedFolder('size=1m,nr_inodes=5');
    // The others are still under way when the first one fails.
    await using store = await openFsStore(folder);

    const puts = Promise.all(Array.from({ length: 10 }, (_, n) => store.objects.putOnce(derivedKey(String(n)), new Uint8Array())));

    await expect(puts).rejects.toMatchObject({ code: 'disk-full', message: expect.stringContaining('inodes') });
  });
});

describe('a read-only folder', () => {
  async function readOnlyFolder(): Promise<string> {
    if (process.getuid?.() === 0) {
      const folder = await mountedFolder('size=1m');
      await fill(folder);
      remount(folder, 'ro');
      return folder;
    }
    const folder = await scratchFolder();
    await fill(folder);
    await chmod(folder, 0o555);
    await chmod(join(folder, '.tmp'), 0o555);
    return folder;
  }
  async function fill(folder: string): Promise<void> {
    const { objects } = await openFsStore(folder);
    await objects.putOnce(derivedKey('a'), new Uint8Array([1]));
  }

  it('is read, and refuses writes', async ({ skip }) => {
    skip(process.getuid?.() === 0 && noMount !== undefined, noMount);
    const folder = await readOnlyFolder();

    const { objects, blobs } = await openFsStore(folder);

    expect(await objects.get(derivedKey('a'), 1)).toEqual(new Uint8Array([1]));
    await expect(objects.putOnce(derivedKey('b'), new Uint8Array())).rejects.toMatchObject({ code: 'read-only', message: expect.stringContaining(folder) });
    await expect(blobs.put(new Uint8Array(), MAX)).rejects.toMatchObject({ code: 'read-only' });
    await expect(lockDataFolder(folder, { purpose: 'test' })).rejects.toMatchObject({ code: 'read-only' });
  });
});

describe('a process that is killed in the middle of its writes', () => {
  it('leaves no torn object, loses nothing that it acknowledged, and its rest is swept', { timeout: 120_000 }, async () => {
    const folder = join(await scratchFolder(), 'data');
    let acknowledged = 0;
    let leftovers = 0;

    for (let round = 0; round < 8; round += 1) {
      const done = await writeUntilKilled(folder, round);
      acknowledged += done.length;
      leftovers += (await readdir(join(folder, '.tmp'))).length;
      const { objects, blobs } = await openFsStore(folder);
      expect(await readdir(join(folder, '.tmp'))).toEqual([]);
      for (const line of done) expect(await blobs.size(line)).toBeDefined();
      for await (const key of objects.list('blobs/')) {
        const bytes = await objects.get(key, 10_000_000);
        expect(key.endsWith(sha256(bytes ?? ''))).toBe(true);
      }
      await rm(join(folder, 'blobs'), { recursive: true, force: true });
    }

    expect(acknowledged).toBeGreaterThan(0);
    expect(leftovers).toBeGreaterThan(0);
  });
});

/** Digests that the writer acknowledged before it was killed, at another moment in each round. */
async function writeUntilKilled(folder: string, round: number): Promise<readonly Sha256[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'test/endless-writer.ts'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), 3 + round * 11);
    output += text;
  });
  await ended;
  return output
    .split('\n')
    .map(parseSha256)
    .filter((digest) => digest !== undefined);
}
