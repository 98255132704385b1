import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Change, followLines, type Moment } from './moments.ts';
import type { SiteFolder } from './site-folder.ts';

const MAIN = join(import.meta.dirname, '../../apps/granary/main.ts');
/** A run that takes longer hangs. */
const TIMEOUT_MS = 300_000;

/** When to kill: a while after the process was started, or after something in it was, from its nth start on, and only while that goes on. */
export type Aim = { readonly at: 'any'; readonly afterMs: number } | { readonly at: Moment; readonly nth: number; readonly afterMs: () => number };
export interface UpRun {
  /** `killed` is what was going on at the death. */
  readonly end: { readonly type: 'exited'; readonly code: number | null } | { readonly type: 'killed'; readonly inside: ReadonlySet<Moment> };
  readonly durationMs: number;
  readonly changes: readonly (Change & { readonly atMs: number })[];
  readonly complaints: readonly string[];
  readonly output: string;
}

/** Runs `granary up --once` on a site; with an aim, kills it there, and only it: what it started has to notice by itself. */
export async function runUp(site: SiteFolder, aim?: Aim): Promise<UpRun> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [MAIN, 'up', '--once', '--json', '--events', '--config', site.config, '--data', site.data], {
    env: { ...process.env, TMPDIR: site.temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  const following = followLines();
  const changes: (Change & { readonly atMs: number })[] = [];
  const killer = killAt(child, aim, following.inside);
  createInterface({ input: child.stderr }).on('line', (line) => {
    const change = following.read(line);
    if (change === undefined) return;
    changes.push({ ...change, atMs: performance.now() - startedAt });
    killer.learn(change);
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  killer.disarm();
  const end = killer.fired() ? ({ type: 'killed', inside: following.inside() } as const) : ({ type: 'exited', code: child.exitCode } as const);
  return { end, changes, output, durationMs: performance.now() - startedAt, complaints: following.complaints };
}

interface Killer {
  learn(change: Change): void;
  fired(): boolean;
  disarm(): void;
}

function killAt(child: ChildProcess, aim: Aim | undefined, inside: () => ReadonlySet<Moment>): Killer {
  let timer: NodeJS.Timeout | undefined;
  let starts = 0;
  let hasFired = false;
  const arm = (afterMs: number, isStillWanted: () => boolean) => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (isStillWanted()) hasFired = child.kill('SIGKILL');
    }, afterMs);
  };
  if (aim?.at === 'any') arm(aim.afterMs, () => true);
  return {
    learn({ moment, state }) {
      if (aim === undefined || aim.at === 'any' || moment !== aim.at || state !== 'started') return;
      starts += 1;
      // What it waited for may be over by then: then the next one is taken.
      if (starts >= aim.nth) arm(aim.afterMs(), () => inside().has(moment));
    },
    // A process that ended by itself just before was not killed.
    fired: () => hasFired && child.signalCode === 'SIGKILL',
    disarm: () => clearTimeout(timer),
  };
}
