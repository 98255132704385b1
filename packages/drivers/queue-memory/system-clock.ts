import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@granary/contract/ports';
import { toInstant } from '@granary/core/model';

/** What a timer of Node can hold: about 25 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time, which may be wrong and may go back: whoever needs order keeps it for himself. */
export function systemClock(): Clock {
  let last = { milliseconds: Number.NaN, instant: toInstant(0) };
  return {
    // Asked many times in a millisecond: its text is made once.
    now() {
      const milliseconds = Date.now();
      if (milliseconds !== last.milliseconds) last = { milliseconds, instant: toInstant(milliseconds) };
      return last.instant;
    },
    async sleep(milliseconds, signal) {
      for (let left = milliseconds; left > 0; left -= LONGEST_TIMER_MS) {
        await setTimeout(Math.min(left, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal });
      }
      signal?.throwIfAborted();
    },
  };
}
