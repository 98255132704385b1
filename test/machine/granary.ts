import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment } from './uv.ts';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'apps/granary/main.ts');
const TIMEOUT_MS = 600_000;
const MAX_OUTPUT_CHARACTERS = 16 * 2 ** 20;

/** How a run of the command line ended. A run that a signal ended has no code. */
export interface Ended {
  /** As a shell says it: 128 and its number for a signal, which may come when Node has taken its handlers down already. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}
export interface GranaryOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}
/** A command that runs on. */
export interface RunningGranary extends AsyncDisposable {
  readonly pid: number | undefined;
  /** Resolves to the match once it has said this on standard error; rejects when it ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Runs `granary` with these arguments to its end. */
export async function granary(args: readonly string[], options: GranaryOptions = {}): Promise<Ended> {
  return await startGranary(args, options).ended;
}

/** Starts `granary` with these arguments. */
export function startGranary(args: readonly string[], { cwd, env = {} }: GranaryOptions = {}): RunningGranary {
  const startedAt = performance.now();
  const inherited = Object.entries(cleanEnvironment()).filter(([name]) => !name.startsWith('GRANARY_'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    // As the launcher does.
    env: { ...Object.fromEntries(inherited), NODE_USE_SYSTEM_CA: '1', NODE_COMPILE_CACHE: join(ROOT, '.toolchain/compile-cache'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)];
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({
        code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]),
        stdout: stdout(),
        stderr: stderr(),
        seconds: (performance.now() - startedAt) / 1000,
      }),
    );
  });
  return {
    ended,
    pid: child.pid,
    signal: (name) => void child.kill(name),
    said: (pattern) => saidBy(child, stderr, pattern),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function saidBy(child: ChildProcess, stderr: () => string, pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const match = pattern.exec(stderr());
    if (match !== null) return match;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`granary ended and did not say ${pattern}:\n${stderr()}`);
    await sleep(50);
  }
}

function collected(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (more: string) => {
    text = (text + more).slice(-MAX_OUTPUT_CHARACTERS);
  });
  return () => text;
}
