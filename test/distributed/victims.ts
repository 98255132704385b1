import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Process } from '@granary/distributed';
import type { Trial } from './trial.ts';

/** What is killed with SIGKILL; Redis is emptied, too. */
export const VICTIMS = ['worker 1', 'sequencer', 'redis', 'node 1', 's3', 'scheduler', 'worker 2', 'postgres', 'node 2', 'redis emptied'] as const;
export type Victim = (typeof VICTIMS)[number];

/** Kills one. A role is started again by who supervises it; a service after `downMs`. False when there was nothing to kill. */
export async function killVictim(
  trial: Trial,
  victim: Victim,
  { scheduler, downMs }: { readonly scheduler: Process; readonly downMs: number },
): Promise<boolean> {
  const { deployment } = trial;
  switch (victim) {
    case 'redis':
    case 's3':
    case 'postgres':
      await deployment[victim].kill();
      await sleep(downMs);
      await deployment[victim].start();
      return true;
    case 'redis emptied':
      await promisify(execFile)('redis-cli', ['--no-auth-warning', '-u', deployment.redis.server.url, 'FLUSHALL']);
      return true;
    case 'scheduler':
      return killProcess(scheduler);
    case 'sequencer':
      return killProcess(deployment.sequencer);
    case 'worker 1':
    case 'worker 2':
    case 'node 1':
    case 'node 2':
      return killProcess([...deployment.workers, ...deployment.nodes].find(({ name }) => name === victim));
  }
}

function killProcess(process: Process | undefined): boolean {
  const pid = process?.pid();
  return pid !== undefined && globalThis.process.kill(pid, 'SIGKILL');
}
