import type { Clock, Job, JobEvent } from '@granary/contract/ports';
import type { Instant } from '@granary/core/model';

/** What became of the jobs, and with it which of them there is no point in queueing now. */
export interface JobOutcomes {
  readonly gaveUp: ReadonlyMap<string, GivenUp>;
  readonly waiting: ReadonlyMap<string, Postponed>;
  /** Neither done nor given up on, nor put off to a time that is still to come. */
  readonly isOpen: (job: Job) => boolean;
  /** Worth offering to the queue: what is open, and what was given up on, for the queue knows how long that rests. */
  readonly isOffered: (job: Job) => boolean;
  /** Done, and perhaps not sequenced yet: what is acknowledged counts as recorded. */
  readonly finished: () => readonly string[];
  readonly sequenced: (ids: readonly string[]) => void;
  readonly learn: (event: JobEvent) => void;
}
export interface GivenUp {
  readonly job: Job;
  readonly error: Error;
}
export interface Postponed extends GivenUp {
  readonly at: Instant;
}

/** A job that was done so often and still isn't recorded will not be. */
const MAX_VAIN_RUNS = 3;

export function openJobOutcomes(clock: Pick<Clock, 'now'>): JobOutcomes {
  const gaveUp = new Map<string, GivenUp>();
  const waiting = new Map<string, Postponed>();
  const unsequenced = new Set<string>();
  const runs = new Map<string, number>();
  const inVain = new Set<string>();
  const done = (job: Job) => {
    unsequenced.add(job.id);
    const count = (runs.get(job.id) ?? 0) + 1;
    runs.set(job.id, count);
    if (count <= MAX_VAIN_RUNS) return;
    inVain.add(job.id);
    gaveUp.set(job.id, { job, error: new Error(`done ${count} times, and what it should record is not in the ledger`) });
  };
  /** A retry whose time has passed runs, or was lost with a queue that was emptied. */
  const isPutOff = ({ id }: Job) => (waiting.get(id)?.at ?? '') > clock.now();
  return {
    gaveUp,
    waiting,
    isOpen: (job) => !gaveUp.has(job.id) && !isPutOff(job) && !unsequenced.has(job.id),
    isOffered: (job) => !inVain.has(job.id) && !isPutOff(job) && !unsequenced.has(job.id),
    finished: () => [...unsequenced],
    sequenced: (ids) => {
      for (const id of ids) unsequenced.delete(id);
    },
    learn(event) {
      const { type, job } = event;
      if (type === 'gave-up') gaveUp.set(job.id, { job, error: event.error });
      else if (!inVain.has(job.id)) gaveUp.delete(job.id);
      if (type === 'retrying') waiting.set(job.id, { job, error: event.error, at: event.at });
      else waiting.delete(job.id);
      if (type === 'done') done(job);
    },
  };
}
