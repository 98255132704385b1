import { manualClock } from '@granary/contract/memory';
import type { SharedBudget } from '@granary/contract/ports';
import { describe, expect, it } from 'vitest';
import { hostBudget } from './host-budget.ts';

const LIMITS = { maxConcurrent: 10, requestsPerSecond: 1000, burst: 100 };
const HOST = 'registry.example:443';
const URL_OF_IT = 'https://registry.example/';

/** Says what it is told to say, in that order, then 0; and remembers what it was asked. */
function scripted(...answers: readonly number[]) {
  const left = [...answers];
  const asked: string[] = [];
  const budget: SharedBudget = {
    async take(host) {
      asked.push(host);
      return left.shift() ?? 0;
    },
    async pause(host, milliseconds) {
      asked.push(`${host} pause ${milliseconds}`);
    },
  };
  return { asked, share: { budget, host: HOST } };
}

describe('the budget of a host that is shared with other processes', () => {
  it('lets a request go when both budgets do, and takes again after each wait', async () => {
    const clock = manualClock();
    const { asked, share } = scripted(200, 50);
    const { enter } = hostBudget(clock, LIMITS, share);
    let isIn = false;

    const entering = enter(URL_OF_IT, new AbortController().signal).then(() => {
      isIn = true;
    });
    await clock.advance(249);
    expect([isIn, asked.length]).toEqual([false, 2]);
    await clock.advance(1);
    await entering;

    expect(asked).toEqual([HOST, HOST, HOST]);
  });

  it('asks for one request of this process at a time, and for the next when the first has given up', async () => {
    const clock = manualClock();
    const { asked, share } = scripted(1000, 0);
    const { enter } = hostBudget(clock, LIMITS, share);
    const giving = new AbortController();

    const first = enter(URL_OF_IT, giving.signal);
    const second = enter(URL_OF_IT, new AbortController().signal);
    await clock.advance(10);
    expect(asked).toHaveLength(1);
    giving.abort(new Error('given up'));

    await expect(first).rejects.toThrow('given up');
    await second;
  });

  it('is busy when others were asked to leave the host alone for long', async () => {
    const { share } = scripted(3_000_000);

    await expect(hostBudget(manualClock(), LIMITS, share).enter(URL_OF_IT, new AbortController().signal)).rejects.toMatchObject({ code: 'busy' });
  });

  it('tells the others for how long it was asked to leave the host alone, an hour at most', () => {
    const { asked, share } = scripted();

    hostBudget(manualClock(), LIMITS, share).pause(86_400_000);

    expect(asked).toEqual([`${HOST} pause 3600000`]);
  });
});
