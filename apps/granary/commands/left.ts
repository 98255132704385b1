import type { Job } from '@granary/contract/ports';
import type { Outcome } from './outcome.ts';

/** What a run that was stopped would have gone on with. */
export interface Left {
  /** Of the artifacts that are known to be wanted, those without a verdict. */
  readonly artifacts: number;
  /** Jobs that are known by now; others follow from them. */
  readonly jobs: Readonly<Record<string, number>>;
  /** Of the first of them. */
  readonly next: readonly string[];
}

const SHOWN_JOBS = 5;

/** Undefined where nobody has looked yet what there is to do. */
export function leftOf(outcomes: readonly Outcome[], open: readonly Job[] | undefined): Left | undefined {
  if (open === undefined) return undefined;
  const byStage = Map.groupBy(open, ({ stage }) => stage);
  return {
    artifacts: outcomes.filter(({ verdict }) => verdict === 'pending').length,
    jobs: Object.fromEntries([...byStage].map(([stage, jobs]) => [stage, jobs.length])),
    next: open.slice(0, SHOWN_JOBS).map(({ stage, label }) => `${stage} ${label}`),
  };
}

/** The last line of a run that was stopped. */
export function formatLeft(left: Left | undefined): string {
  if (left === undefined) return `\nstopped before it was known what is to be done; ${GOES_ON}`;
  const counts = Object.entries(left.jobs).map(([stage, count]) => `${stage} ${count}`);
  if (counts.length === 0) return `\nstopped with nothing left to do that is known; ${GOES_ON}`;
  return `\nstopped: ${left.artifacts} artifacts without a verdict, and jobs left: ${counts.join(', ')} (next: ${left.next.join('; ')}); ${GOES_ON}`;
}

const GOES_ON = 'the next start goes on from there';
