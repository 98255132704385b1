import { setTimeout } from 'node:timers/promises';
import type { Clock, Job, Queue } from '@granary/contract/ports';
import { type Standing, type SweepPorts, sweep } from '@granary/stage-schedule';
import { diskFaultOf } from '../disk-fault.ts';
import { type GivenUp, openJobOutcomes, type Postponed } from './job-outcomes.ts';
import { openSweeping } from './sweeping.ts';

/** Keeps the queue filled with what is wanted and not recorded. */
export interface Scheduler {
  /** Asks for a sweep soon; any number of times. */
  nudge(): void;
  /**
   * Resolves when a sweep finds nothing to do but what was given up on or waits for a later retry, or when stopped. Rejects when the disk
   * is at fault, or when sweeping fails again and again.
   */
  idle(): Promise<void>;
  /** What the last sweep saw. */
  standing(): Standing | undefined;
  /** Of what the last sweep saw, the jobs that are neither done nor given up on, nor put off; undefined before the first sweep. More may follow from them. */
  open(): readonly Job[] | undefined;
  /** Jobs that were given up on, and why; until they are tried again. */
  readonly gaveUp: ReadonlyMap<string, GivenUp>;
  /** Jobs that failed and will be tried again. */
  readonly waiting: ReadonlyMap<string, Postponed>;
  stop(): Promise<void>;
}
const SWEEP_EVERY_MS = 30_000;

export interface SchedulerPorts extends SweepPorts {
  readonly queue: Queue;
  readonly clock: Pick<Clock, 'now'>;
  /** Resolves when every fact that was submitted before the call is sequenced and folded. */
  readonly settle: () => Promise<void>;
  /** Told of a sweep that failed; not again of the same fault. */
  readonly onError: (error: Error) => void;
}

export function openScheduler(ports: SchedulerPorts): Scheduler {
  const { queue, settle } = ports;
  const outcome = openJobOutcomes(ports.clock);
  const stumbles = openStumbles(ports.onError);
  let standing: Standing | undefined;
  const work = async () => {
    const finished = outcome.finished();
    await settle();
    outcome.sequenced(finished);
    standing = await sweep(ports);
    await queue.add(standing.jobs.filter(outcome.isOffered));
    stumbles.none();
  };
  const sweeper = openSweeping({ work, onError: stumbles.add, idle: () => queue.idle() });
  const unsubscribe = queue.subscribe((event) => {
    outcome.learn(event);
    if (event.type === 'retrying' || event.type === 'gave-up') stumbles.ofJob(event.error);
    if (event.type === 'done' || event.type === 'gave-up') sweeper.askInTurn();
  });
  const timer = setInterval(sweeper.ask, SWEEP_EVERY_MS);
  return {
    nudge: sweeper.ask,
    gaveUp: outcome.gaveUp,
    waiting: outcome.waiting,
    standing: () => standing,
    open: () => standing?.jobs.filter(outcome.isOpen),
    async idle() {
      stumbles.awaited();
      while (!sweeper.isStopped()) {
        // Before the sweep: a job that is tried again at once is no longer open, and not over either.
        await Promise.race([stumbles.fatal, queue.idle()]);
        sweeper.ask();
        await sweeper.settled();
        if (await stumbles.pause()) continue;
        const isDone = standing !== undefined && outcome.finished().length === 0 && !standing.jobs.some(outcome.isOpen);
        if (isDone) return await Promise.race([stumbles.fatal, Promise.resolve()]);
      }
    },
    async stop() {
      clearInterval(timer);
      unsubscribe();
      await sweeper.stop();
    },
  };
}

/** Sweeps that fail so often in a row fail for good. */
const MAX_STUMBLES = 5;
const STUMBLE_PAUSE_MS = 1000;

/** Sweeps and jobs that failed, as far as they concern everything. */
function openStumbles(onError: (error: Error) => void) {
  const { promise: fatal, reject } = Promise.withResolvers<never>();
  // Whoever waits for it gets it; nobody has to.
  fatal.catch(() => undefined);
  let inARow = 0;
  let said = '';
  let isAwaited = false;
  return {
    fatal,
    awaited() {
      isAwaited = true;
    },
    ofJob(error: Error) {
      if (diskFaultOf(error) !== undefined) reject(error);
    },
    add(thrown: unknown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      inARow += 1;
      const isFatal = diskFaultOf(error) !== undefined || inARow >= MAX_STUMBLES;
      if (isFatal) reject(error);
      // Whoever waits says it.
      if (error.message !== said && !(isFatal && isAwaited)) onError(error);
      said = error.message;
      if (isFatal) isAwaited = false;
    },
    none() {
      inARow = 0;
      said = '';
    },
    /** After a sweep that failed: waits a moment and says so. */
    async pause(): Promise<boolean> {
      if (inARow === 0) return false;
      await Promise.race([setTimeout(STUMBLE_PAUSE_MS), fatal]);
      return true;
    },
  };
}
