import type { Process } from '@granary/distributed';
import { type Said, type Trial, within } from './trial.ts';

export interface Slept {
  /** Who slept. */
  readonly name: string;
  /** Until the other had written a batch. */
  readonly silentMs: number;
}

/**
 * Stops whichever of two sequencers writes in the middle of its next batch, waits until the other has written one, and lets it go on. The
 * lines are those of `--events`.
 */
export async function sleepInBatch(trial: Trial, [a, b]: readonly [Process, Process]): Promise<Slept> {
  const begun = (process: Process) => trial.until(process.name, /"event":"batch".*"state":"started"/, trial.lines.length);
  const { name } = await within<Said>(90, 'one of two sequencers begins a batch', trial, Promise.race([begun(a), begun(b)]));
  const [sleeper, other] = name === a.name ? [a, b] : [b, a];
  signal(sleeper, 'SIGSTOP');
  const stoppedAt = performance.now();
  const written = trial.until(other.name, /"event":"batch".*"state":"ended"/, trial.lines.length);
  await within(90, `${other.name} writes while ${name} sleeps`, trial, written);
  const silentMs = performance.now() - stoppedAt;
  signal(sleeper, 'SIGCONT');
  return { name, silentMs };
}

function signal(process: Process, name: 'SIGSTOP' | 'SIGCONT'): void {
  const pid = process.pid();
  if (pid === undefined) throw new Error(`${process.name} has ended: it can't get ${name}`);
  globalThis.process.kill(pid, name);
}
