import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sha256, toSha256 } from '@granary/core/model';
import { runTool } from './run-tool.ts';

/** What a run mounts over; a read-only root can't be given them later. */
const MOUNT_POINTS = ['dev', 'proc', 'tmp', 'work'];

/** Folder of an unpacked root filesystem; undefined when this machine lacks it. */
export async function unpackedRootfs(cacheDir: string, digest: Sha256): Promise<string | undefined> {
  const folder = join(cacheDir, digest);
  return (await stat(folder).catch(() => undefined))?.isDirectory() === true ? folder : undefined;
}

/** Unpacks the tar of a root filesystem under its digest. May run at the same time as itself, and may be killed: what lies under a digest is whole. */
export async function unpackRootfs(cacheDir: string, tarFile: string, signal?: AbortSignal): Promise<Sha256> {
  const digest = await digestOf(tarFile);
  if ((await unpackedRootfs(cacheDir, digest)) !== undefined) return digest;
  await mkdir(cacheDir, { recursive: true });
  const temporary = await mkdtemp(join(cacheDir, `unpacking-${process.pid}-`));
  try {
    await runTool(
      ['tar', '--extract', `--file=${tarFile}`, '--numeric-owner', '--preserve-permissions', `--directory=${temporary}`],
      `unpack root filesystem ${digest}`,
      { signal },
    );
    for (const name of MOUNT_POINTS) await makeMountPoint(join(temporary, name));
    // A rename is on the disk before the files that it names are, unless they are told to hurry.
    await runTool(['sync', '--file-system', temporary], `sync root filesystem ${digest}`);
    await rename(temporary, join(cacheDir, digest)).catch(async (cause: unknown) => {
      if ((await unpackedRootfs(cacheDir, digest)) === undefined) throw cause;
    });
    return digest;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Passable for the container's users, whatever our umask is. */
async function makeMountPoint(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await chmod(folder, 0o755);
}

async function digestOf(file: string): Promise<Sha256> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  return toSha256(hash.digest('hex'));
}
