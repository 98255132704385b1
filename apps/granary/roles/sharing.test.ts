import { manualClock } from '@granary/contract/memory';
import { expect, it } from 'vitest';
import { gathering, sharing } from './sharing.ts';

const NEVER = new AbortController().signal;

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

it('waits until nobody comes any more, and runs for all who came', async () => {
  const [site, clock] = [openTestWork(), manualClock()];
  const gathered = gathering(site.work, { clock, quietMs: 10, longestMs: 100, signal: NEVER });

  const first = [gathered(), gathered()];
  await clock.advance(5);
  first.push(gathered());
  await clock.advance(14);
  const before = site.runs();
  await clock.advance(1);
  const later = gathered();
  site.end();
  await Promise.all(first);
  await clock.advance(9);
  const after = site.runs();
  await clock.advance(1);
  site.end();
  await later;

  expect([before, after, site.runs()]).toEqual([0, 1, 2]);
});

it('does not wait for ever for those who never stop coming', async () => {
  const [site, clock] = [openTestWork(), manualClock()];
  const gathered = gathering(site.work, { clock, quietMs: 10, longestMs: 30, signal: NEVER });

  for (let at = 0; at < 29; at += 1) {
    void gathered();
    await clock.advance(1);
  }
  const before = site.runs();
  await clock.advance(1);

  expect([before, site.runs()]).toEqual([0, 1]);
});

it('runs at once for those who wait when no more are to come', async () => {
  const [site, ending] = [openTestWork(), new AbortController()];
  const gathered = gathering(site.work, { clock: manualClock(), quietMs: 10, longestMs: 30, signal: ending.signal });

  const waiting = gathered();
  ending.abort();
  await site.begun(1);
  site.end();
  await waiting;

  expect(site.runs()).toBe(1);
});

it('tells everybody of a failure, and goes on', async () => {
  let isBroken = true;
  const work = async () => {
    if (isBroken) throw new Error('disk full');
  };
  const gathered = gathering(work, { clock: { sleep: async () => undefined }, quietMs: 1, longestMs: 1, signal: NEVER });

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
