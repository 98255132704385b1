import { JobError, type RetryTimes } from '../ports/index.ts';

/** Failures of one job so far, by how they are retried. */
export interface Failures {
  /** Since the job last waited for later. */
  readonly atOnce: number;
  readonly later: number;
}

export type RetryPlan =
  | { readonly type: 'retry'; readonly when: 'at-once' | 'later'; readonly inMs: number; readonly failures: Failures }
  | { readonly type: 'give-up'; readonly restMs: number };

/** An hour, then a day, for what upstream may mend; a few tries for our own faults, which then rest until an outage may be over. */
export const DEFAULT_RETRY_TIMES: RetryTimes = {
  atOnceMs: [1000, 5000, 25_000],
  laterMs: [3_600_000, 86_400_000],
  restMs: { exhausted: 300_000, never: 86_400_000 },
};

/** What becomes of a job that threw; `chance` is in [0, 1). */
export function planRetry(error: unknown, failures: Failures, { times, chance }: { readonly times: RetryTimes; readonly chance: number }): RetryPlan {
  const retry = error instanceof JobError ? error.retry : 'at-once';
  switch (retry) {
    case 'at-once': {
      const inMs = times.atOnceMs[failures.atOnce];
      if (inMs === undefined) return { type: 'give-up', restMs: times.restMs.exhausted };
      // Spread, so that jobs which failed together do not come back together.
      return { type: 'retry', when: 'at-once', inMs: Math.round(inMs * (0.5 + chance)), failures: { ...failures, atOnce: failures.atOnce + 1 } };
    }
    case 'later': {
      const inMs = times.laterMs[failures.later];
      if (inMs === undefined) return { type: 'give-up', restMs: times.laterMs.at(-1) ?? times.restMs.exhausted };
      return { type: 'retry', when: 'later', inMs, failures: { atOnce: 0, later: failures.later + 1 } };
    }
    case 'never':
      return { type: 'give-up', restMs: times.restMs.never };
  }
}
