import { manualClock } from '@granary/contract/memory';
import { arrivalKey } from '@granary/core/layout';
import { sha256 } from '@granary/core/model';
import type { Arrivals } from '@granary/stage-sync';
import { expect, it } from 'vitest';
import { takeOver } from './take-over.ts';

const MINUTE = 60_000;

it('takes all over at once where nobody else fetches, and looks again now and then', async () => {
  const { asked, over, clock, end } = begin({ isAlone: true });
  await clock.advance(0);
  const first = [...asked];
  await clock.advance(15 * MINUTE);
  end();
  await over;

  expect([first, asked]).toEqual([[undefined], [undefined, undefined]]);
});

it('takes over beside others what is older than they need, time and again, until the process ends', async () => {
  const { asked, over, clock, end } = begin({ isAlone: false });
  await clock.advance(MINUTE - 1);
  const early = [...asked];
  await clock.advance(1);
  for (let quarter = 0; quarter < 2; quarter += 1) await clock.advance(15 * MINUTE);
  end();
  await over;

  expect([early, asked]).toEqual([[], [MINUTE, 15 * MINUTE, 15 * MINUTE]]);
});

it('looks again soon after a look that failed, and says so', async () => {
  const { asked, said, over, clock, end } = begin({ isAlone: true, fails: true });
  await clock.advance(0);
  await clock.advance(MINUTE);
  end();
  await over;

  expect([asked.length, new Set(said)]).toEqual([2, new Set(['what came for clients before could not be taken in: no answer'])]);
});

it('says what can not be read', async () => {
  const key = arrivalKey('tiny', sha256('notes'));
  const { said, over, clock, end } = begin({ isAlone: true, unreadable: [key] });
  await clock.advance(0);
  end();
  await over;

  expect(said).toEqual([`${key}: what came for clients can't be read there; it stays where it is`]);
});

interface Beginning {
  readonly isAlone: boolean;
  readonly unreadable?: readonly ReturnType<typeof arrivalKey>[];
  readonly fails?: boolean;
}
function begin({ isAlone, unreadable = [], fails = false }: Beginning) {
  const [clock, ending, asked, said] = [manualClock(), new AbortController(), [] as (number | undefined)[], [] as string[]];
  const resume: Arrivals['resume'] = async ({ olderThanMs, onUnreadable }) => {
    asked.push(olderThanMs);
    if (fails) throw new Error('no answer');
    for (const key of unreadable) onUnreadable(key);
  };
  const over = takeOver({ resume }, { clock, note: (text) => said.push(text), isAlone, signal: ending.signal });
  return { asked, said, over, clock, end: () => ending.abort() };
}
