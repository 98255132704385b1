import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TOOLCHAIN = join(import.meta.dirname, '../../.toolchain');
const FOLDER = join(TOOLCHAIN, 'git-lfs');
const PROGRAM = 'usr/bin/git-lfs';
const FETCH_TIMEOUT_MS = 120_000;

/** A folder with git-lfs in it, to stand first in PATH; or why this machine has none. */
export type GitLfs = { readonly ok: true; readonly folder: string } | { readonly ok: false; readonly why: string };

/** The machine's git-lfs, or else that of its Debian archive, unpacked into `.toolchain` once. */
export async function findGitLfs(): Promise<GitLfs> {
  const installed = (process.env['PATH'] ?? '').split(delimiter).find((folder) => folder !== '' && existsSync(join(folder, 'git-lfs')));
  if (installed !== undefined) return { ok: true, folder: installed };
  try {
    if (!existsSync(join(FOLDER, PROGRAM))) await unpack();
    return { ok: true, folder: join(FOLDER, 'usr/bin') };
  } catch {
    return { ok: false, why: 'git-lfs is not installed, and apt has none: `apt-get install -y git-lfs` brings it' };
  }
}

/** Unpacked aside and renamed into place: what is interrupted leaves nothing that looks finished. */
async function unpack(): Promise<void> {
  await mkdir(TOOLCHAIN, { recursive: true });
  const aside = await mkdtemp(join(TOOLCHAIN, 'partial-git-lfs-'));
  try {
    await run('sh', ['-c', 'apt-get -qq download git-lfs && dpkg-deb --extract git-lfs_*.deb unpacked'], { cwd: aside, timeout: FETCH_TIMEOUT_MS });
    await rename(join(aside, 'unpacked'), FOLDER).catch((error: unknown) => {
      if (!existsSync(join(FOLDER, PROGRAM))) throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}
