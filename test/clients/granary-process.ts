import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { cleanEnvironment } from '../machine/uv.ts';

const MAIN = join(import.meta.dirname, '../../apps/granary/main.ts');
const START_TIMEOUT_MS = 900_000;

/** `granary …` as a process of its own. */
export interface GranaryProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves to the match once the process has said this; rejects when it ends before, or after 15 minutes. */
  saidThat(pattern: RegExp): Promise<RegExpExecArray>;
  /** Everything so far, on both streams. */
  said(): string;
  /** Ends it cleanly and waits. */
  stop(): Promise<void>;
}

/** The arguments that run the command line with this Node. */
export function granaryArgv(...args: readonly string[]): readonly string[] {
  return [process.execPath, MAIN, ...args];
}

export function granaryEnvironment(): Record<string, string> {
  return { ...cleanEnvironment(), NODE_USE_SYSTEM_CA: '1' };
}

/** `settings`: more of the environment. */
export function startGranary([command = '', ...args]: readonly string[], settings: Readonly<Record<string, string>> = {}): GranaryProcess {
  const child = spawn(command, args, { env: { ...granaryEnvironment(), ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = collect(child);
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'close');
  };
  return { pid: child.pid ?? 0, said, saidThat: (pattern) => untilSaid(child, said, pattern), stop, [Symbol.asyncDispose]: stop };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (more: string) => (text += more));
  return () => text;
}

async function untilSaid(child: ChildProcess, said: () => string, pattern: RegExp): Promise<RegExpExecArray> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const match = pattern.exec(said());
    if (match !== null) return match;
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || performance.now() > deadline) throw new Error(`granary ${ended ? 'ended' : 'runs on'} and did not say ${pattern}:\n${said().slice(-4000)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
