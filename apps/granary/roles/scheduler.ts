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
  readonly gaveUp: ReadonlyMap<string, GivenUp>;
  stop(): Promise<void>;
}
export interface GivenUp {
  readonly job: Job;
  readonly error: Error;
}

const SWEEP_EVERY_MS = 30_000;

export function openScheduler(ports: SweepPorts, queue: Queue, onError: (error: unknown) => void): Scheduler {
  const outcome = jobOutcomes();
  let standing: Standing | undefined;
  const sweeper = singleFlight(async () => {
    standing = await sweep(ports);
    await queue.add(standing.jobs.filter(outcome.isOpen));
  }, onError);
  const unsubscribe = queue.subscribe((event) => {
    outcome.learn(event);
    if (event.type === 'done' || event.type === 'gave-up') sweeper.ask();
  });
  const timer = setInterval(sweeper.ask, SWEEP_EVERY_MS);
  return {
    nudge: sweeper.ask,
    gaveUp: outcome.gaveUp,
    standing: () => standing,
    async idle() {
      for (;;) {
        sweeper.ask();
        await sweeper.settled();
        if (standing !== undefined && !standing.jobs.some(outcome.isOpen)) return;
        await queue.idle();
      }
    },
    async stop() {
      clearInterval(timer);
      unsubscribe();
      await sweeper.stop();
    },
  };
}

/** Which jobs there is no point in queueing again now. */
function jobOutcomes() {
  const gaveUp = new Map<string, GivenUp>();
  const waiting = new Set<string>();
  return {
    gaveUp,
    isOpen: ({ id }: Job) => !gaveUp.has(id) && !waiting.has(id),
    learn(event: JobEvent) {
      const { id } = event.job;
      if (event.type === 'gave-up') gaveUp.set(id, { job: event.job, error: event.error });
      if (event.type === 'retrying') waiting.add(id);
      if (event.type === 'started' || event.type === 'done') waiting.delete(id);
    },
  };
}

/** Runs once at a time; who asks meanwhile gets one more run after it. */
function singleFlight(work: () => Promise<void>, onError: (error: unknown) => void) {
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  const ask = () => {
    if (stopped) return;
    again = true;
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  const run = async () => {
    while (again && !stopped) {
      again = false;
      await work().catch(onError);
    }
  };
  const settled = async () => {
    while (running !== undefined) await running;
  };
  return {
    ask,
    settled,
    async stop() {
      stopped = true;
      await settled();
    },
  };
}
