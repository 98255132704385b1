import { type Job, JobError } from '@granary/contract/ports';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readFailures } from './index.ts';
import { machineClock } from './test/machine-clock.ts';
import { named, noRedis, ownPrefix, type TestRedis, testQueue, testRedis } from './test/test-redis.ts';

const job = (id: string): Job => ({ id, stage: 'sync', label: id, payload: { purl: id } });

describe.skipIf(noRedis !== undefined)(named('jobs that failed'), () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.remove());

  it('are told to whoever asks, with what they were for and why', async () => {
    const { url } = redis.server;
    const prefix = ownPrefix();
    const queue = await testQueue({ url, prefix });
    queue.handle('sync', { concurrency: 1, timeoutMs: 60_000 }, async ({ id }) => {
      if (id === 'later' || id === 'never') throw new JobError(id, `not now: ${id}`);
    });
    await queue.add([job('never'), job('later'), job('well')]);

    await vi.waitFor(
      async () => {
        const failures = await readFailures({ url, prefix, clock: machineClock });

        const told = failures.map((event) => [event.type, event.job.payload, 'error' in event ? event.error.message : '']);
        expect(told.toSorted()).toEqual([
          ['gave-up', { purl: 'never' }, 'not now: never'],
          ['retrying', { purl: 'later' }, 'not now: later'],
        ]);
      },
      { timeout: 20_000, interval: 100 },
    );
  });
});
