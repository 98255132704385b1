import { execFile } from 'node:child_process';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serveGit } from '@granary/services';

const run = promisify(execFile);
const IDENTITY = ['-c', 'user.name=A', '-c', 'user.email=a@maintainer.example', '-c', 'init.defaultBranch=main', '-c', 'commit.gpgSign=false'];

/** A forge on loopback: bare repositories behind git's own http-backend. */
export interface LoopbackForge {
  /** `http://127.0.0.1:3000/`: names follow, as `owner/name`. */
  readonly base: string;
  /** Makes an empty repository with a work tree to commit in. */
  create(name: string): Promise<ForgeRepository>;
  close(): Promise<void>;
}
export interface ForgeRepository {
  /** The bare one that is served. */
  readonly folder: string;
  /** Runs git in the work tree, whose `origin` is the one that is served. */
  git(...args: readonly string[]): Promise<string>;
  /** Takes it off the net, or back. */
  show(state: 'hidden' | 'shown'): Promise<void>;
}

export async function openLoopbackForge(folder: string): Promise<LoopbackForge> {
  const served = join(folder, 'served');
  await mkdir(served, { recursive: true });
  const { base, close } = await serveGit(served);
  return {
    base,
    create: (name) => createRepository({ bare: join(served, `${name}.git`), work: join(folder, 'work', name) }),
    close,
  };
}

async function createRepository({ bare, work }: { readonly bare: string; readonly work: string }): Promise<ForgeRepository> {
  await mkdir(work, { recursive: true });
  const git = async (...args: readonly string[]) => (await run('git', [...IDENTITY, ...args], { cwd: work, maxBuffer: 2 ** 28 })).stdout;
  await git('init', '--quiet', '--bare', bare);
  await git('init', '--quiet');
  await git('remote', 'add', 'origin', bare);
  return {
    folder: bare,
    git,
    show: (state) => (state === 'hidden' ? rename(bare, `${bare}-hidden`) : rename(`${bare}-hidden`, bare)),
  };
}
