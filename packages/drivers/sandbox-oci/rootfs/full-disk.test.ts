import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withRoom } from './full-disk.ts';
import { unpackRootfs } from './unpacked-rootfs.ts';

const isRoot = process.getuid?.() === 0;

describe('a root filesystem for which the disk has no room', () => {
  it.skipIf(!isRoot)(`is told with the folder and what to do, though tar found it out${isRoot ? '' : ' (skipped: mounting a tmpfs takes root)'}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'granary-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'granary-test', folder]);
    onTestFinished(() => {
      execFileSync('umount', ['--lazy', folder]);
      rmSync(folder, { recursive: true });
    });

    const unpacked = withRoom(folder, unpackRootfs(folder, tarOf(400_000)));

    await expect(unpacked).rejects.toMatchObject({
      code: 'disk-full',
      message: `make a root filesystem: the disk of ${folder} is full; nothing stored is harmed: free a gigabyte (or inodes, or quota) and run again`,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is told by no other fault', async () => {
    const broken = new Error('the tar has no end');

    await expect(withRoom('/anywhere', Promise.reject(broken))).rejects.toBe(broken);
    expect(await withRoom('/anywhere', Promise.resolve('made'))).toBe('made');
  });
});

function tarOf(sizeBytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'granary-tar-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'large'), Buffer.alloc(sizeBytes, 1));
  execFileSync('tar', ['--create', `--file=${join(folder, 'rootfs.tar')}`, `--directory=${folder}`, 'large']);
  return join(folder, 'rootfs.tar');
}
