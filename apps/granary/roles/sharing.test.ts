import { expect, it } from 'vitest';
import { gathering, sharing } from './sharing.ts';

it('runs once for all who wait, and again for who comes while it runs', async () => {
  const site = openTestWork();
  const shared = sharing(site.work);

  const waiting = [shared(), shared(), shared()];
  site.end();
  await Promise.all([waiting[0], site.begun(2)]);
  site.end();
  await Promise.all(waiting);

  expect(site.runs()).toBe(2);
});

it('waits before it runs, for all who come until then', async () => {
  const site = openTestWork();
  const pauses: (() => void)[] = [];
  const gathered = gathering(site.work, () => new Promise((resolve) => pauses.push(resolve)));

  const first = [gathered(), gathered()];
  const before = site.runs();
  pauses[0]?.();
  await site.begun(1);
  const later = gathered();
  site.end();
  await Promise.all(first);
  const after = site.runs();
  pauses[1]?.();
  await site.begun(2);
  site.end();
  await later;

  expect([before, after, site.runs()]).toEqual([0, 1, 2]);
});

it('tells everybody of a failure, and goes on', async () => {
  let isBroken = true;
  const work = async () => {
    if (isBroken) throw new Error('disk full');
  };
  const gathered = gathering(work, async () => undefined);

  const outcomes = await Promise.allSettled([gathered(), gathered()]);
  isBroken = false;

  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await gathered();
});

/** Work that ends when it is told to. */
function openTestWork() {
  const ends: (() => void)[] = [];
  return {
    work: () => new Promise<void>((resolve) => void ends.push(resolve)),
    runs: () => ends.length,
    end: () => ends.at(-1)?.(),
    async begun(run: number) {
      while (ends.length < run) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
