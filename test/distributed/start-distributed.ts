import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrialFolder } from './trial.ts';

const MAIN = join(import.meta.dirname, '../../infra/distributed/main.ts');
const TIMEOUT_MS = 300_000;

export interface StartedDistributed {
  until(pattern: RegExp): Promise<void>;
  /** As a terminal does: to the whole group of processes. */
  interrupt(): void;
  readonly ended: Promise<{ readonly code: number | null; readonly lines: readonly string[] }>;
}

/** What `npm run start:distributed -- --once --json` starts once everything is set up. */
export function startDistributed({ config, data }: TrialFolder, port: number): StartedDistributed {
  const args = [MAIN, '--once', '--json', '--config', config, '--data', data, '--port', String(port)];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', (line) => lines.push(line));
  return {
    async until(pattern) {
      while (!lines.some((line) => pattern.test(line))) {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} and did not say ${pattern}:\n${lines.slice(-40).join('\n')}`);
        await sleep(50);
      }
    },
    interrupt: () => void process.kill(-(child.pid ?? 0), 'SIGINT'),
    ended: once(child, 'close').then(() => ({ code: child.exitCode, lines })),
  };
}
