import type { Job, JobEvent, Queue } from '@granary/contract/ports';
import { type Standing, type SweepPorts, sweep } from '@granary/stage-schedule';

/** Keeps the queue filled with what is wanted and not recorded. */
export interface Scheduler {
  /** Asks for a sweep soon; any number of times. */
  nudge(): void;
  /** Resolves when a sweep finds nothing to do but what was given up on or waits for a later retry. */
  idle(): Promise<void>;
  /** What the last sweep saw. */
  standing(): Standing | undefined;
  /** Jobs that were given up on in this process, and why. */
  readonly gaveUp: ReadonlyMap<string, { readonly job: Job; readonly error: Error }>;
  stop(): Promise<void>;
}

const SWEEP_EVERY_MS = 30_000;

export function openScheduler(ports: SweepPorts, queue: Queue, onError: (error: unknown) => void): Scheduler {
  const gaveUp = new Map<string, { readonly job: Job; readonly error: Error }>();
  const waiting = new Set<string>();
  let standing: Standing | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const once = async () => {
    do {
      again = false;
      standing = await sweep(ports);
      await queue.add(standing.jobs.filter(({ id }) => !gaveUp.has(id)));
    } while (again && !stopped);
  };
  const nudge = () => {
    if (stopped) return;
    again = true;
    running ??= once()
      .catch(onError)
      .finally(() => {
        running = undefined;
        if (again) nudge();
      });
  };
  const onEvent = (event: JobEvent) => {
    if (event.type === 'gave-up') gaveUp.set(event.job.id, { job: event.job, error: event.error });
    if (event.type === 'retrying') waiting.add(event.job.id);
    if (event.type === 'started' || event.type === 'done') waiting.delete(event.job.id);
    if (event.type === 'done' || event.type === 'gave-up') nudge();
  };
  const unsubscribe = queue.subscribe(onEvent);
  const timer = setInterval(nudge, SWEEP_EVERY_MS);
  timer.unref();

  return {
    nudge,
    gaveUp,
    standing: () => standing,
    async idle() {
      for (;;) {
        nudge();
        while (running !== undefined) await running;
        const open = standing?.jobs.filter(({ id }) => !gaveUp.has(id) && !waiting.has(id)) ?? [];
        if (open.length === 0) return;
        await queue.idle();
      }
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      unsubscribe();
      await running;
    },
  };
}
