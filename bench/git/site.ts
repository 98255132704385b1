import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMPILE_CACHE, NODE } from '../as-launched.ts';
import { descendantsOf, processorSecondsOf } from './measured.ts';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'apps/granary/main.ts');
const HOST = 'https://forge.example/';
const QUIET_MS = 3000;

/** A site that watches one repository, or nothing. */
export interface Site {
  readonly folder: string;
  readonly config: string;
}

export async function makeSite(folder: string, { base, names }: { readonly base: string; readonly names: readonly string[] }): Promise<Site> {
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'granary.yaml');
  await writeFile(config, JSON.stringify({ data: 'data', watch: names.map((name) => `${HOST}${name}`), repositories: { insteadOf: { [HOST]: base } } }));
  return { folder, config };
}

/** Takes in what there is, and ends. */
export function mirrorOnce({ config }: Site): readonly string[] {
  return [...NODE, MAIN, 'up', '--once', '--json', '--config', config, '--listen', '127.0.0.1:0'];
}

export function siteEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', NODE_USE_SYSTEM_CA: '1', NODE_COMPILE_CACHE: COMPILE_CACHE };
}

/** A server, and where a repository of it is cloned from. */
export interface Server {
  readonly base: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function serveSite({ config }: Site): Promise<Server> {
  const [program, ...flags] = NODE;
  const child = spawn(program, [...flags, MAIN, 'serve', '--config', config, '--listen', '127.0.0.1:0'], {
    env: siteEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const base = await saidBy(child, /(http:\/\/127\.0\.0\.1:\d+)/);
  return serverOf(child, `${base}/git/forge.example/`);
}

/** git's own server, in a process of its own so that its time is known. */
export async function serveByGit(folder: string): Promise<Server> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'serve-by-git.ts'), folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  return serverOf(child, await saidBy(child, /(http:\/\/127\.0\.0\.1:\d+\/)/));
}

/** Resolves once nothing works any more behind what was asked. */
export async function quiet(pid: number): Promise<void> {
  for (let since = performance.now(), last = -1; performance.now() - since < QUIET_MS; await sleep(200)) {
    const now = processorSecondsOf(pid);
    if (descendantsOf(pid).length > 1 || now - last > 0.05) since = performance.now();
    last = now;
  }
}

function serverOf(child: ChildProcess, base: string): Server {
  return {
    base,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function saidBy(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => {
        said = (said + text).slice(-10_000);
        const found = pattern.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
    child.once('exit', (code) => reject(new Error(`a server ended with ${code}:\n${said}`)));
  });
}
