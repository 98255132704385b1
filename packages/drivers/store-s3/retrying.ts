import { setTimeout as sleep } from 'node:timers/promises';
import { S3Fault } from './s3-fault.ts';
import { MAX_DELAY_MS, type Patience } from './s3-service.ts';

/** Runs the step again while it fails by something that may pass. Throws the S3Fault of the last attempt, or whatever else the step throws knowingly. */
export async function retrying<T>(patience: Patience, step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof S3Fault) || error.kind !== 'transient' || attempt >= patience.attempts) throw error;
      await pause(patience, attempt);
    }
  }
}

/** Longer after each attempt; by chance shorter, so that many who failed together don't come back together. */
export async function pause({ firstDelayMs }: Patience, attempt: number): Promise<void> {
  const longest = Math.min(firstDelayMs * 2 ** (attempt - 1), MAX_DELAY_MS);
  await sleep(longest / 2 + (Math.random() * longest) / 2);
}
