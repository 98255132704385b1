import type { Stage } from '@granary/contract/ports';

/** Our own keys in Redis, beside those that BullMQ keeps under `<prefix>:<stage>:`. */
export interface QueueKeys {
  readonly prefix: string;
  /** The stream of what happens. */
  readonly events: string;
  /** Jobs about to be retried at once, by when. */
  readonly soon: string;
  /** Jobs of a stage that gave up, by when they may come again. */
  resting(stage: Stage): string;
  /** There as long as a handler hangs that has passed its time. */
  held(key: string): string;
  /** Where BullMQ keeps a job. */
  job(stage: Stage, key: string): string;
  /** Where BullMQ keeps what is to run later, by 4096 times its time in milliseconds. */
  delayed(stage: Stage): string;
}

export function queueKeys(prefix: string): QueueKeys {
  return {
    prefix,
    events: `${prefix}:events`,
    soon: `${prefix}:soon`,
    resting: (stage) => `${prefix}:resting:${stage}`,
    held: (key) => `${prefix}:held:${key}`,
    job: (stage, key) => `${prefix}:${stage}:${key}`,
    delayed: (stage) => `${prefix}:${stage}:delayed`,
  };
}
