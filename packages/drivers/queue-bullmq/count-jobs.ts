import { STAGES, type Stage } from '@granary/contract/ports';
import { Queue as BullQueue } from 'bullmq';
import { openRedisLinks } from './redis-links.ts';

export interface JobCounts {
  readonly queued: number;
  /** On whichever worker. */
  readonly running: number;
  readonly waitingForRetry: number;
  /** Given up on, and resting before they are tried again. */
  readonly gaveUp: number;
}

/** How many jobs each stage has, all processes together. Throws QueueError `unreachable` when Redis doesn't answer. */
export async function countJobs({ url, prefix }: { readonly url: string; readonly prefix: string }): Promise<ReadonlyMap<Stage, JobCounts>> {
  const links = await openRedisLinks({ url, onNote: () => undefined });
  try {
    return await links.ask('count jobs', async () => {
      const counts = new Map<Stage, JobCounts>();
      for (const stage of STAGES) {
        const queue = new BullQueue(stage, { connection: links.asking, prefix });
        queue.on('error', () => undefined);
        const {
          wait = 0,
          prioritized = 0,
          active = 0,
          delayed = 0,
          failed = 0,
        } = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed');
        await queue.close();
        counts.set(stage, { queued: wait + prioritized, running: active, waitingForRetry: delayed, gaveUp: failed });
      }
      return counts;
    });
  } finally {
    links.close();
  }
}
