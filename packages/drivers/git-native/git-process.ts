import { spawn } from 'node:child_process';
import { constants, getPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { GitTools } from './git-tools.ts';
import { type Place, type ProcessLimits, sandboxArguments } from './sandbox-arguments.ts';
import { keepStderr } from './stderr-text.ts';

export interface GitCommand {
  readonly args: readonly string[];
  readonly places: readonly Place[];
  readonly timeoutMs: number;
  /** Of what the driver was opened with, unless this command needs less. */
  readonly limits?: Partial<ProcessLimits>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly script?: string;
  readonly signal?: AbortSignal;
  /** Gives way to all else on this machine that wants the processor. */
  readonly priority?: 'low';
  /** Every line of stderr, cut at 1,000 characters. */
  readonly onStderr?: (line: string) => void;
}
export interface GitEnd {
  /** As a shell sees it: 128 and more than a signal's number for a process that a signal ended. */
  readonly status: number;
  /** What we did to it. */
  readonly stopped: 'timeout' | 'abort' | undefined;
  /** Its last lines, without control characters. */
  readonly stderr: string;
}
export interface GitProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when no process of it is left and its output was read. Never rejects. */
  readonly ended: Promise<GitEnd>;
  stop(why: 'timeout' | 'abort'): void;
}
export interface GitRunner {
  start(command: GitCommand): GitProcess;
  /** Ends all processes and waits for them; what is started later ends at once. */
  close(): Promise<void>;
}
export interface GitRunnerOptions {
  readonly tools: GitTools;
  readonly threads: number;
  readonly limits: ProcessLimits;
}

/** Starts native git so that nothing of it outlives this process, its time, or its client. */
export function gitRunner({ tools, threads, limits }: GitRunnerOptions): GitRunner {
  const running = new Set<GitProcess>();
  let closed = false;

  return {
    start(command) {
      const sandboxed = { tools, threads, environment: {}, ...command, limits: { ...limits, ...command.limits } };
      const givingWay = command.priority === 'low' ? [tools.nice, '-n', String(belowUs())] : [];
      const [program = '', ...args] = [...givingWay, tools.prlimit, ...sandboxArguments(sandboxed, command.args)];
      const process = startProcess(program, args, command);
      running.add(process);
      void process.ended.then(() => running.delete(process));
      if (closed) process.stop('abort');
      return process;
    },
    async close() {
      closed = true;
      for (const process of running) process.stop('abort');
      await Promise.all([...running].map(({ ended }) => ended));
    },
  };
}

/** setTimeout(3) of Node holds 31 bits. */
const MAX_TIMER_MS = 2_147_483_647;

function startProcess(program: string, args: readonly string[], { timeoutMs, signal, onStderr }: GitCommand): GitProcess {
  let stopped: GitEnd['stopped'];
  let failure: Error | undefined;
  // A group of its own: a Ctrl-C that is meant for us is handed on when we decide so. bwrap's children die with it, by PR_SET_PDEATHSIG.
  const child = spawn(program, args, { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const stderr = keepStderr(child.stderr, onStderr);
  const stop = (why: 'timeout' | 'abort'): void => {
    stopped ??= why;
    killGroup(child.pid);
    // Else the end would wait for a reader who doesn't come.
    child.stdout.destroy();
  };
  const timer = setTimeout(() => stop('timeout'), Math.min(timeoutMs, MAX_TIMER_MS));
  const onAbort = (): void => stop('abort');
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  // git may end before it has read all: its status tells.
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => {
    failure = error;
  });
  const ended = new Promise<GitEnd>((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve({ status: code ?? 137, stopped, stderr: failure?.message ?? stderr() });
    });
  });
  return { stdin: child.stdin, stdout: child.stdout, ended, stop };
}

/** How far it is to a low priority, where we may be as low ourselves (nice(1)). Before it starts: what it starts itself would be faster than we are. */
function belowUs(): number {
  return Math.max(0, constants.priority.PRIORITY_BELOW_NORMAL - getPriority());
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
