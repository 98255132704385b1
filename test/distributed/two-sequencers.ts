import type { Process } from '@granary/distributed';
import { type Trial, within } from './trial.ts';

/** Which of two writes the ledgers; the other stands by. */
export interface Turn {
  readonly writing: Process;
  readonly standing: Process;
}

/** Resolves once one of two sequencers has said since `from` that it stands by. The lines are those of `--events`. */
export async function whoWrites(trial: Trial, [a, b]: readonly [Process, Process], from: number): Promise<Turn> {
  const said = await within(90, 'one of two sequencers stands by', trial, Promise.race([a, b].map(({ name }) => trial.until(name, /standing by/, from))));
  return said.name === a.name ? { writing: b, standing: a } : { writing: a, standing: b };
}

/**
 * Stops who writes in the middle of a batch, waits until the other has taken over and written one, and lets the first go on.
 * Resolves to how long nobody wrote, and who writes then.
 */
export async function sleepInBatch(trial: Trial, { writing, standing }: Turn): Promise<{ readonly turn: Turn; readonly silentMs: number }> {
  const begun = trial.until(writing.name, /"event":"batch".*"state":"started"/, trial.lines.length);
  await within(90, `${writing.name} begins a batch`, trial, begun);
  signal(writing, 'SIGSTOP');
  const stoppedAt = performance.now();
  const from = trial.lines.length;
  await within(90, `${standing.name} takes over`, trial, trial.until(standing.name, /taking over/, from));
  const silentMs = performance.now() - stoppedAt;
  await within(90, `${standing.name} writes a batch`, trial, trial.until(standing.name, /"event":"batch".*"state":"ended"/, from));
  const woken = trial.lines.length;
  signal(writing, 'SIGCONT');
  return { turn: await whoWrites(trial, [writing, standing], woken), silentMs };
}

function signal(process: Process, name: 'SIGSTOP' | 'SIGCONT'): void {
  const pid = process.pid();
  if (pid === undefined) throw new Error(`${process.name} has ended: it can't get ${name}`);
  globalThis.process.kill(pid, name);
}
