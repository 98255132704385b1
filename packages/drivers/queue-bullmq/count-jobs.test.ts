import { type Job, JobError, type Stage } from '@granary/contract/ports';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { countJobs } from './index.ts';
import { named, noRedis, ownPrefix, type TestRedis, testQueue, testRedis } from './test/test-redis.ts';

const job = (id: string, stage: Stage = 'sync'): Job => ({ id, stage, label: id, payload: {} });

describe.skipIf(noRedis !== undefined)(named('the jobs of all processes'), () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.remove());

  it('are counted by stage, as far as they came', async () => {
    const { url } = redis.server;
    const prefix = ownPrefix();
    const queue = await testQueue({ url, prefix });
    queue.handle('sync', { concurrency: 1, timeoutMs: 60_000 }, async ({ id }, { signal }) => {
      if (id === 'later' || id === 'never') throw new JobError(id, id);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    });
    await queue.add([job('never'), job('later'), job('goes on'), job('waits'), job('elsewhere', 'judge')]);

    await vi.waitFor(
      async () => {
        const counts = await countJobs({ url, prefix });

        expect(counts.get('sync')).toEqual({ queued: 1, running: 1, waitingForRetry: 1, gaveUp: 1 });
        expect(counts.get('judge')).toEqual({ queued: 1, running: 0, waitingForRetry: 0, gaveUp: 0 });
        expect(counts.get('plan')).toEqual({ queued: 0, running: 0, waitingForRetry: 0, gaveUp: 0 });
      },
      { timeout: 20_000, interval: 100 },
    );
  });
});
