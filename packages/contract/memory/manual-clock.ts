import { toInstant } from '@granary/core/model';
import type { Clock } from '../ports/index.ts';

/** Time that passes only when a test says so. */
export interface ManualClock extends Clock {
  /** Wakes whoever sleeps until then, in order of time, and lets each run as far as it gets. */
  advance(milliseconds: number): Promise<void>;
}

interface Sleeper {
  readonly at: number;
  wake(): void;
}

export function manualClock(start = 1_700_000_000_000): ManualClock {
  const sleepers = new Set<Sleeper>();
  let now = start;

  function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = (): void => {
        sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper = {
        at: now + milliseconds,
        wake() {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', stop);
          resolve();
        },
      };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  async function advance(milliseconds: number): Promise<void> {
    const until = now + milliseconds;
    for (;;) {
      await settle();
      const next = [...sleepers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      now = Math.max(now, next.at);
      next.wake();
    }
    now = until;
  }

  return { now: () => toInstant(now), sleep, advance };
}

/** Lets everything that can run without time passing run: promises, and a few turns of the event loop for what is read from disk. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
