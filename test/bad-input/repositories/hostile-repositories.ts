import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { z } from 'zod';
import { type RunningGranary, startGranary } from '../../machine/granary.ts';
import { type HostileForge, openHostileForge } from './hostile-forge.ts';

/** A site that watches repositories of servers that do as they are told. */
export interface RepositorySite extends AsyncDisposable {
  readonly folder: string;
  readonly forge: HostileForge;
  /** Writes the configuration and starts `granary` with these arguments. */
  start(watch: readonly string[], ...args: readonly string[]): Promise<RunningGranary>;
  /** Blobs that no fact names. */
  orphans(): Promise<readonly string[]>;
  /** Below `derived/git`: what work leaves when it is cut off, and packs. */
  litter(): Promise<{ readonly scratch: readonly string[]; readonly packs: number }>;
  /** Command lines of processes that have to do with this site. */
  processes(): readonly string[];
  /** Repositories whose refs are on record. */
  observed(): readonly string[];
}

export const UpResult = z.object({ failures: z.array(z.object({ job: z.string(), error: z.string() })) });

export async function openRepositorySite(): Promise<RepositorySite> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-hostile-git-'));
  const forge = await openHostileForge();
  const catalog = () => openSqliteCatalog(join(folder, 'data/derived/catalog.sqlite'), { mode: 'read' });
  return {
    folder,
    forge,
    async start(watch, ...args) {
      const repositories = { insteadOf: forge.insteadOf, maxPackBytes: '8MiB' };
      await writeFile(join(folder, 'granary.yaml'), JSON.stringify({ watch, repositories, listen: '127.0.0.1:0' }));
      return startGranary(args, { cwd: folder });
    },
    async orphans() {
      using open = catalog();
      const named = new Set<string>();
      for (const kind of ['observed', 'stored', 'watched', 'wanted', 'vanished', 'polled', 'site'] as const)
        for (const { entry } of open.all(kind, { history: true })) for (const [digest] of JSON.stringify(entry).matchAll(/[0-9a-f]{64}/g)) named.add(digest);
      const stored = await readdir(join(folder, 'data/public/blobs'), { recursive: true }).catch(() => []);
      return stored.flatMap((path) => /[0-9a-f]{64}$/.exec(path) ?? []).filter((digest) => !named.has(digest));
    },
    async litter() {
      const all = await readdir(join(folder, 'data/derived/git'), { recursive: true });
      return { scratch: all.filter((path) => path.startsWith('scratch/')), packs: all.filter((path) => path.endsWith('.pack')).length };
    },
    processes: () => processesNaming(folder),
    observed() {
      using open = catalog();
      return [...open.all('observed')].map(({ entry }) => entry.subject).sort();
    },
    async [Symbol.asyncDispose]() {
      await forge[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The most memory that a process and those below it ever had at once, in bytes, as far as a look every 200 ms tells (proc(5), VmRSS). */
export function watchMemory(pid: number | undefined): { readonly peakBytes: () => number } {
  let peakKiB = 0;
  const timer = setInterval(() => {
    peakKiB = Math.max(peakKiB, Number(/VmRSS:\s+(\d+) kB/.exec(readOf(pid, 'status'))?.[1] ?? 0));
    if (readOf(pid, 'status') === '') clearInterval(timer);
  }, 200).unref();
  return { peakBytes: () => peakKiB * 1024 };
}

export function processesNaming(folder: string): readonly string[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.map((id) => readOf(Number(id), 'cmdline').replaceAll('\0', ' ')).filter((command) => command.includes(folder));
}

/** It may end meanwhile. */
function readOf(pid: number | undefined, file: 'status' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
