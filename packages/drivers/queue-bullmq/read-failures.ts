import type { Clock, JobEvent } from '@granary/contract/ports';
import { queueKeys } from './queue-keys.ts';
import { openRedisLinks } from './redis-links.ts';
import { StageQueues } from './stage-queues.ts';

/** The jobs of all processes that gave up or wait for a later retry, as the events that said so. Throws QueueError `unreachable` when Redis doesn't answer. */
export async function readFailures({
  url,
  prefix,
  clock,
}: {
  readonly url: string;
  readonly prefix: string;
  readonly clock: Clock;
}): Promise<readonly JobEvent[]> {
  const links = await openRedisLinks({ url, onNote: () => undefined });
  const queues = new StageQueues({ links, keys: queueKeys(prefix), clock });
  try {
    return await links.ask('read what failed', () => queues.before());
  } finally {
    await queues.close();
    links.close();
  }
}
