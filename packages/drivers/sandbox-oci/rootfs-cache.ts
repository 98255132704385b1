import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SandboxError } from '@granary/contract/ports';
import { type Sha256, toSha256 } from '@granary/core/model';
import { TOOL_ENVIRONMENT } from './host-tools.ts';

/** Folder of an unpacked root filesystem; undefined when this machine lacks it. */
export async function unpackedRootfs(cacheDir: string, digest: Sha256): Promise<string | undefined> {
  const folder = join(cacheDir, digest);
  return (await stat(folder).catch(() => undefined))?.isDirectory() === true ? folder : undefined;
}

/** Unpacks the tar of a root filesystem under its digest. May run at the same time as itself, and may be killed: what is under a digest is whole. */
export async function unpackRootfs(cacheDir: string, tarFile: string): Promise<Sha256> {
  const digest = await digestOf(tarFile);
  if ((await unpackedRootfs(cacheDir, digest)) !== undefined) return digest;
  await mkdir(cacheDir, { recursive: true });
  const temporary = await mkdtemp(join(cacheDir, 'unpacking-'));
  try {
    const tar = spawn('tar', ['--extract', `--file=${tarFile}`, '--numeric-owner', '--preserve-permissions', `--directory=${temporary}`], {
      env: TOOL_ENVIRONMENT,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [code] = await once(tar, 'close');
    if (code !== 0) throw new SandboxError('infrastructure', `unpack root filesystem ${digest}: tar exited with ${String(code)}`);
    await rename(temporary, join(cacheDir, digest)).catch(async (cause: unknown) => {
      if ((await unpackedRootfs(cacheDir, digest)) === undefined) throw cause;
    });
    return digest;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function digestOf(file: string): Promise<Sha256> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return toSha256(hash.digest('hex'));
}
