import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@granary/contract/ports';
import { toInstant } from '@granary/core/model';

/** Redis keeps its own time: tests of it run on the machine's. */
export const machineClock: Clock = {
  now: () => toInstant(Date.now()),
  async sleep(milliseconds, signal) {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });
  },
};
