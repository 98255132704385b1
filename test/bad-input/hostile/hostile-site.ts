import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { granary, type RunningGranary, startGranary } from '../../machine/granary.ts';
import { type HostileUpstream, openHostileUpstream } from './hostile-upstream.ts';
import { type FileAttack, type Page, REGISTRIES, type Registry, type Release } from './registries.ts';

/** One site that mirrors several ecosystems, all of whose upstreams are hostile. */
export interface HostileSite extends AsyncDisposable {
  readonly folder: string;
  readonly upstream: HostileUpstream;
  /** Has it upstream, and wants it: by its name, or by a lock where only that says what its file must be. `client`: nobody wants it until a client asks. */
  want(registry: Registry, name: string, options?: { readonly by?: 'lock' | 'client'; readonly attack?: FileAttack }): Release;
  /** Writes the configuration and starts `granary up` with these arguments. */
  start(...args: readonly string[]): Promise<RunningGranary>;
  /** Whether the file is held that clients install, by what `why` has to say of the package. */
  isHeld(registry: Registry, name: string): Promise<boolean>;
  /** Files that nobody has finished writing, wherever a store keeps them meanwhile. */
  unfinished(): Promise<readonly string[]>;
}

export const HostileResult = z.object({
  artifacts: z.array(z.object({ purl: z.string() })),
  failures: z.array(z.object({ job: z.string(), error: z.string() })),
});

/** Of `why --json`. */
const HeldArtifacts = z.object({ artifacts: z.array(z.object({ purl: z.string() })) });

export async function openHostileSite(): Promise<HostileSite> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-hostile-'));
  const upstream = await openHostileUpstream();
  const watch = new Set<string>();
  const locked = new Map<Registry, Set<string>>();
  for (const registry of REGISTRIES) for (const page of registry.pages(upstream.origin)) upstream.serve(page);
  return {
    folder,
    upstream,
    want(registry, name, { by, attack } = {}) {
      const release = registry.release(name, attack);
      for (const page of pagesOf(release)) upstream.serve(page);
      if (by === 'client') return release;
      if (by === 'lock' && registry.lock !== undefined) locked.set(registry, (locked.get(registry) ?? new Set()).add(name));
      else watch.add(registry.wish(name));
      return release;
    },
    async start(...args) {
      const locks = [...locked].flatMap(([registry, names]) => registry.lock?.([...names]) ?? []);
      for (const { fileName, text } of locks) await writeFile(join(folder, fileName), text);
      const upstreams = Object.fromEntries(REGISTRIES.map((registry) => [registry.id, registry.upstream(upstream.origin)]));
      const site = {
        watch: [...watch, ...locks.map(({ fileName }) => fileName)],
        upstreams,
        listen: '127.0.0.1:0',
        pullThrough: { ecosystems: Object.keys(upstreams) },
      };
      await writeFile(join(folder, 'granary.yaml'), JSON.stringify(site));
      return startGranary(['up', ...args], { cwd: folder });
    },
    async isHeld({ wish, fileName }, name) {
      const { code, stdout } = await granary(['why', wish(name), '--json'], { cwd: folder });
      return code === 0 && HeldArtifacts.parse(JSON.parse(stdout)).artifacts.some(({ purl }) => purl.endsWith(`=${fileName(name)}`));
    },
    unfinished: async () => (await Promise.all(['public', 'private'].map((part) => readdir(join(folder, 'data', part, '.tmp'))))).flat(),
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The most memory that a process had so far, in bytes (proc(5), VmHWM), while it runs. */
export function watchMemory(pid: number | undefined): { readonly peakBytes: () => number } {
  let peakKiB = 0;
  const timer = setInterval(() => {
    try {
      peakKiB = Math.max(peakKiB, Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0));
    } catch {
      clearInterval(timer); // It ended.
    }
  }, 200).unref();
  return { peakBytes: () => peakKiB * 1024 };
}

function pagesOf({ index, file, statement, others }: Release): readonly Page[] {
  return [index, file, ...(statement === undefined ? [] : [statement]), ...others];
}
