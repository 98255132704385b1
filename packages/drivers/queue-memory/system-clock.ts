import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@granary/contract/ports';
import { toInstant } from '@granary/core/model';

/** What a timer of Node can hold: about 25 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time, which may be wrong and may go back: whoever needs order keeps it for himself. */
export function systemClock(): Clock {
  return {
    now: () => toInstant(Date.now()),
    async sleep(milliseconds, signal) {
      for (let left = milliseconds; left > 0; left -= LONGEST_TIMER_MS) {
        await setTimeout(Math.min(left, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal });
      }
      signal?.throwIfAborted();
    },
  };
}
