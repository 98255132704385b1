import { queueContract } from '@granary/contract/suites';
import { afterAll, beforeAll, describe } from 'vitest';
import { settlingQueue } from './test/settling-queue.ts';
import { named, noRedis, ownPrefix, type TestRedis, testRedis } from './test/test-redis.ts';

describe.skipIf(noRedis !== undefined)(named('the queue in Redis'), () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.remove());

  queueContract({ secondMs: 20, lagMs: 1000, open: (times) => settlingQueue({ url: redis.server.url, prefix: ownPrefix(), times }) });
});
