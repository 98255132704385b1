import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Ran, type RunOptions, run } from './run.ts';

/** A user of cargo with empty caches, who is told one thing: where the registry's stand-in lies. */
export interface CargoHome {
  /** Runs cargo in a project; never stops to ask. */
  cargo(args: readonly string[], project: string): Promise<Ran>;
  /** Runs a line of shell as the user. */
  shell(command: string, project: string): Promise<Ran>;
  /** A copy of a project, of this user's own. */
  take(project: string): string;
  /** Crates that lie in this user's cache, by file name. */
  readonly cache: string;
}
export interface CargoHomeOptions {
  /** Of a sparse index, with a slash at its end. Left out: nobody told this user anything. */
  readonly index?: string;
  readonly runner?: (argv: readonly string[], options?: RunOptions) => Promise<Ran>;
}

/** What this machine lacks for it; undefined when nothing. */
export function whyNoCargo(): string | undefined {
  return spawnSync('cargo', ['--version']).status === 0 ? undefined : 'not installed: cargo';
}

export function makeCargoHome(folder: string, { index, runner = run }: CargoHomeOptions): CargoHome {
  const home = mkdtempSync(join(folder, 'cargo-home-'));
  if (index !== undefined) {
    const settings = `[source.crates-io]\nreplace-with = "mirror"\n[source.mirror]\nregistry = "sparse+${index}"\n`;
    writeFileSync(join(home, 'config.toml'), settings);
  }
  const env = { ...inherited(), CARGO_HOME: home, CARGO_TERM_COLOR: 'never' };
  return {
    cache: join(home, 'registry/cache'),
    cargo: async (args, project) => await runner(['cargo', ...args], { cwd: project, env }),
    shell: async (command, project) => await runner(['sh', '-c', command], { cwd: project, env }),
    take(project) {
      const taken = join(mkdtempSync(join(home, 'work-')), basename(project));
      mkdirSync(taken);
      cpSync(project, taken, { recursive: true, filter: (path) => basename(path) !== 'target' });
      return taken;
    },
  };
}

/** The environment less the user's settings of cargo and rustc: tests must not depend on them. */
function inherited(): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || /^(CARGO|RUSTC|RUSTDOC|RUSTFLAGS)/.test(name) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(kept);
}
