import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openSweeping } from './sweeping.ts';

/** Work that takes a while each time, counted. */
function counted(takesMs: number, idle: () => Promise<void> = () => new Promise(() => undefined)) {
  const runs: number[] = [];
  const began = performance.now();
  const work = async () => {
    runs.push(performance.now() - began);
    await sleep(takesMs);
  };
  return { runs, sweeping: openSweeping({ work, onError: () => undefined, idle }) };
}

describe('sweeps', () => {
  it('that are asked for in turn leave most of the time to others, however often they are asked for', async () => {
    const { runs, sweeping } = counted(20);

    for (let at = 0; at < 100; at += 1) {
      sweeping.askInTurn();
      await sleep(5);
    }
    await sweeping.stop();

    expect(runs.length).toBeGreaterThan(1);
    expect(runs.length).toBeLessThan(8);
  });

  it('run at once when nothing is left to do', async () => {
    const { promise: isIdle, resolve } = Promise.withResolvers<void>();
    const { runs, sweeping } = counted(100, () => isIdle);
    sweeping.ask();
    await sweeping.settled();

    sweeping.askInTurn();
    await sleep(50);
    expect(runs).toHaveLength(1);
    resolve();
    await sleep(50);

    expect(runs).toHaveLength(2);
    await sweeping.stop();
  });

  it('that are asked for while one is under way run once more', async () => {
    const { runs, sweeping } = counted(20);

    for (let at = 0; at < 5; at += 1) sweeping.ask();
    await sweeping.settled();

    expect(runs).toHaveLength(2);
  });

  it('end with it when it is stopped, also those that wait for their turn', async () => {
    const { runs, sweeping } = counted(50);
    sweeping.ask();
    await sweeping.settled();
    sweeping.askInTurn();

    await sweeping.stop();
    await sleep(20);

    expect(runs).toHaveLength(1);
    expect(sweeping.isStopped()).toBe(true);
  });
});
