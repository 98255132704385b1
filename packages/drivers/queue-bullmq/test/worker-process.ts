import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** What it has said so far. */
  readonly lines: readonly string[];
  /** Ends it by this signal, and waits. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Resolves when the worker is ready. */
export async function workerProcess(
  url: string,
  prefix: string,
  ...manner: readonly ['work' | 'hang' | 'die'] | readonly ['record', string]
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'worker.ts'), url, prefix, ...manner], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const exit = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exit;
  };
  onTestFinished(() => end('SIGKILL'));
  await Promise.race([once(reader, 'line'), exit]);
  return { child, lines, end };
}
