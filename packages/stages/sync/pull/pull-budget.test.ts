import { manualClock } from '@granary/contract/memory';
import { expect, it } from 'vitest';
import { openPullBudget } from './pull-budget.ts';

it('counts what came, and what is on its way', () => {
  const budget = openPullBudget(manualClock(), 100);

  const one = budget.reserve(60);
  expect(budget.reserve(60)).toBe(undefined);
  expect(one?.take(60)).toBe(true);
  one?.end();

  expect([budget.usedBytes(), budget.reserve(41), budget.reserve(40)]).toEqual([60, undefined, expect.anything()]);
});

it('gives back what was set aside and did not come', () => {
  const budget = openPullBudget(manualClock(), 100);
  const one = budget.reserve(100);
  one?.take(10);
  one?.end();

  expect(budget.reserve(90)).toBeDefined();
});

it('ends a file of unknown size where nothing is left', () => {
  const budget = openPullBudget(manualClock(), 100);
  const one = budget.reserve(0);

  expect([one?.take(100), one?.take(1), budget.reserve(0)]).toEqual([true, false, undefined]);
});

it('begins anew each day', async () => {
  const clock = manualClock(Date.UTC(2026, 0, 1, 23, 59));
  const budget = openPullBudget(clock, 100);
  budget.reserve(100)?.take(100);

  await clock.advance(120_000);

  expect([budget.usedBytes(), budget.reserve(100)]).toEqual([0, expect.anything()]);
});
