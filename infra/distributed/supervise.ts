import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Spawned {
  /** Stands before every line that it writes. */
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** Told of every line on standard error; lines on standard output go there too. */
  readonly onLine: (line: string) => void;
}
/** A process that is started again when it ends by itself, until it is stopped. */
export interface Process {
  readonly name: string;
  /** Of the one that runs now. */
  pid(): number | undefined;
  /** How often it was started. */
  starts(): number;
  /** Resolves with the exit code when it ends by itself with 0, which is not started again; or when it is stopped. */
  readonly ended: Promise<number | null>;
  /** SIGTERM, then SIGKILL to what does not end within `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** What ran for so long is started again at once. */
const STEADY_MS = 20_000;

export function supervise({ name, argv, env, onLine }: Spawned): Process {
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let starts = 0;
  const run = async (): Promise<number | null> => {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const [command, ...args] = argv;
      const startedAt = performance.now();
      // In a group of its own: Ctrl-C is for whoever started all of this, who ends the parts in order.
      child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      starts += 1;
      for (const stream of [child.stdout, child.stderr]) readLines(stream, onLine);
      const [code, signal] = await once(child, 'close');
      if (stopping.signal.aborted || code === 0) return code;
      if (performance.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      onLine(`ended with ${signal ?? code}; starting it again`);
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return code;
    }
  };
  const ended = run();
  return {
    name,
    ended,
    pid: () => (child?.exitCode === null && child.signalCode === null ? child.pid : undefined),
    starts: () => starts,
    async stop(graceMs = 20_000) {
      stopping.abort();
      child?.kill('SIGTERM');
      const killer = setTimeout(() => child?.kill('SIGKILL'), graceMs);
      await ended.finally(() => clearTimeout(killer));
    },
  };
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', onLine);
}
