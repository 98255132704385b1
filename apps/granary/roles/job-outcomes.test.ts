import type { Job } from '@granary/contract/ports';
import { toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { openJobOutcomes } from './job-outcomes.ts';

const job: Job = { id: 'store x', stage: 'sync', label: 'x', payload: {} };
const error = new Error('the store is gone');

function outcomesAt() {
  const clock = { ms: 0 };
  const outcomes = openJobOutcomes({ now: () => toInstant(clock.ms) });
  const pass = (ms: number) => {
    clock.ms += ms;
  };
  return { outcomes, pass };
}

it('takes a retry whose time has passed as open: a queue that was emptied has lost it', () => {
  const { outcomes, pass } = outcomesAt();

  outcomes.learn({ type: 'retrying', job, at: toInstant(5000), error });
  const before = [outcomes.isOpen(job), outcomes.isOffered(job)];
  pass(5000);

  expect(before).toEqual([false, false]);
  expect([outcomes.isOpen(job), outcomes.isOffered(job)]).toEqual([true, true]);
});

it('offers what was given up on to the queue, which knows how long it rests, and forgets the failure once it runs again', () => {
  const { outcomes } = outcomesAt();

  outcomes.learn({ type: 'gave-up', job, error });
  expect([outcomes.isOpen(job), outcomes.isOffered(job), outcomes.gaveUp.size]).toEqual([false, true, 1]);
  outcomes.learn({ type: 'queued', job });

  expect([outcomes.isOpen(job), outcomes.gaveUp.size]).toEqual([true, 0]);
});

it('never again offers what was done in vain', () => {
  const { outcomes } = outcomesAt();

  for (let run = 0; run < 4; run += 1) {
    outcomes.learn({ type: 'started', job });
    outcomes.learn({ type: 'done', job });
    outcomes.sequenced(outcomes.finished());
  }

  expect([outcomes.isOpen(job), outcomes.isOffered(job)]).toEqual([false, false]);
  expect(outcomes.gaveUp.get(job.id)?.error.message).toContain('done 4 times');
});
