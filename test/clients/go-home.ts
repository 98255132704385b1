import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Ran, type RunOptions, run } from './run.ts';

/** A user of go with empty caches, who is told one thing: which proxy to ask. */
export interface GoHome {
  go(args: readonly string[], project: string): Promise<Ran>;
  /** A copy of a project, of this user's own. */
  take(project: string): string;
}
export interface GoHomeOptions {
  readonly proxy: string;
  /** The key of a checksum database that isn't the tool's own default. */
  readonly sumdb?: string;
  /** Another than the one that is installed. */
  readonly toolchain?: string;
  readonly runner?: (argv: readonly string[], options?: RunOptions) => Promise<Ran>;
}

/** What this machine lacks for it; undefined when nothing. */
export function whyNoGo(): string | undefined {
  return spawnSync('go', ['version']).status === 0 ? undefined : 'not installed: go';
}

export function makeGoHome(folder: string, { proxy, sumdb, toolchain = 'local', runner = run }: GoHomeOptions): GoHome {
  const home = mkdtempSync(join(folder, 'go-home-'));
  const env = {
    ...inherited(),
    HOME: home,
    GOENV: 'off',
    GOPATH: join(home, 'go'),
    // What was compiled is shared: it is made from sources, which each user fetches anew.
    GOCACHE: spawnSync('go', ['env', 'GOCACHE'], { encoding: 'utf8' }).stdout.trim(),
    GOPROXY: proxy,
    GOTOOLCHAIN: toolchain,
    // Else what is cached can't be deleted.
    GOFLAGS: '-modcacherw',
    ...(sumdb === undefined ? {} : { GOSUMDB: sumdb }),
  };
  return {
    go: async (args, project) => await runner(['go', ...args], { cwd: project, env }),
    take(project) {
      const taken = join(mkdtempSync(join(home, 'work-')), basename(project));
      mkdirSync(taken);
      cpSync(project, taken, { recursive: true });
      return taken;
    },
  };
}

/** The environment less the user's settings of go: tests must not depend on them. */
function inherited(): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) => (value === undefined || /^(GO|CGO_)/.test(name) ? [] : [[name, value] as const]));
  return Object.fromEntries(kept);
}
