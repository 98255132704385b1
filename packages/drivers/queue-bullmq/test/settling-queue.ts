import { setTimeout } from 'node:timers/promises';
import { type HandleOptions, type Queue, type RetryTimes, STAGES, type Stage } from '@granary/contract/ports';
import type { OpenedQueue } from '@granary/contract/suites';
import { Queue as BullQueue } from 'bullmq';
import { Redis } from 'ioredis';
import { openBullQueue } from '../index.ts';
import { machineClock } from './machine-clock.ts';

/** How often in a row, and how far apart, nothing must be left to happen. */
const LOOKS = 3;
const LOOK_MS = 10;

interface Handled extends HandleOptions {
  running: number;
}

/** A queue for the contract suite: `advance` waits in real time, and then until what Redis shows is what the handlers have been given. */
export async function settlingQueue({
  url,
  prefix,
  times,
}: {
  readonly url: string;
  readonly prefix: string;
  readonly times: RetryTimes;
}): Promise<OpenedQueue> {
  const queue = await openBullQueue({ url, prefix, clock: machineClock, times, onNote: () => undefined });
  const eye = new Redis(url, { maxRetriesPerRequest: null });
  const seen = new Map(STAGES.map((stage) => [stage, new BullQueue(stage, { connection: eye, prefix })]));
  const handled = new Map<Stage, Handled>();
  let stopped = false;
  const watched: Queue = {
    add: (jobs) => queue.add(jobs),
    idle: () => queue.idle(),
    subscribe: (listener) => queue.subscribe(listener),
    handle(stage, options, handler) {
      const counts: Handled = { ...options, running: 0 };
      handled.set(stage, counts);
      queue.handle(stage, options, async (job, context) => {
        counts.running += 1;
        await handler(job, context).finally(() => {
          counts.running -= 1;
        });
      });
    },
    async stop() {
      await queue.stop();
      if (stopped) return;
      stopped = true;
      eye.disconnect();
    },
  };
  async function isSettled(): Promise<boolean> {
    for (const [stage, { concurrency, running }] of handled) {
      const counts = await seen.get(stage)?.getJobCounts('wait', 'prioritized', 'active');
      const { wait = 0, prioritized = 0, active = 0 } = counts ?? {};
      if (active > running || (active < concurrency && wait + prioritized > 0)) return false;
    }
    return true;
  }
  return {
    queue: watched,
    now: () => Date.now(),
    async advance(milliseconds) {
      await setTimeout(milliseconds);
      for (let looks = 0; looks < LOOKS; looks += 1) {
        await setTimeout(LOOK_MS);
        if (!stopped && !(await isSettled())) looks = -1;
      }
    },
  };
}
