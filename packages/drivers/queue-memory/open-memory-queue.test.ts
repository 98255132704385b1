import { manualClock } from '@granary/contract/memory';
import { queueContract } from '@granary/contract/suites';
import { describe, expect, it } from 'vitest';
import { openMemoryQueue, systemClock } from './index.ts';

describe('the queue in memory', () => {
  queueContract({
    secondMs: 1000,
    lagMs: 0,
    open(retry) {
      const clock = manualClock();
      return { queue: openMemoryQueue({ clock, retry }), advance: clock.advance, now: () => Date.parse(clock.now()) };
    },
  });

  it('runs on the time of the machine, and takes many jobs', async () => {
    await using queue = openMemoryQueue({ clock: systemClock() });
    let done = 0;
    queue.handle('sync', { concurrency: 50, timeoutMs: 10_000 }, async () => {
      done += 1;
    });

    await queue.add(Array.from({ length: 20_000 }, (_, n) => ({ id: String(n), stage: 'sync', label: '', payload: n })));
    await queue.idle();

    expect(done).toBe(20_000);
  });
});
