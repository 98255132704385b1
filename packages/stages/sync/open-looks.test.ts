import { manualClock } from '@granary/contract/memory';
import { UpstreamError } from '@granary/contract/ports';
import { formatPurl, type Purl } from '@granary/core/model';
import { expect, it } from 'vitest';
import type { Observation } from './observe.ts';
import { openLooks } from './open-looks.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box' });
const LID = formatPurl({ type: 'tiny', name: 'lid' });

it('asks upstream no more than once a minute for one package', async () => {
  const { looks, asked, clock } = openTestLooks();

  await looks.at(BOX);
  await clock.advance(59_999);
  await looks.at(BOX);
  await looks.at(LID);
  await clock.advance(1);

  expect([await looks.at(BOX), asked]).toEqual([{ type: 'current' }, [BOX, LID, BOX]]);
});

it('remembers that upstream has no such package', async () => {
  const { looks, asked, answer } = openTestLooks();
  answer(async () => ({ type: 'absent', facts: 0 }));

  expect([await looks.at(BOX), await looks.at(BOX), asked]).toEqual([{ type: 'absent' }, { type: 'absent' }, [BOX]]);
});

it('leaves an upstream that does not answer alone for a moment, whatever is asked for', async () => {
  const { looks, asked, answer, clock } = openTestLooks();
  answer(async () => {
    throw new UpstreamError('unreachable', 'http://upstream.example/', 'no answer');
  });

  expect([await looks.at(BOX), await looks.at(LID), asked]).toEqual([{ type: 'stale' }, { type: 'stale' }, [BOX]]);
  answer(async () => ({ type: 'unchanged' }));
  await clock.advance(10_000);
  expect(await looks.at(LID)).toEqual({ type: 'current' });
});

it('asks for the next package after one that can not be read', async () => {
  const { looks, answer } = openTestLooks();
  answer(async (purl) => {
    if (purl === BOX) throw new Error('malformed');
    return { type: 'unchanged' };
  });

  expect([await looks.at(BOX), await looks.at(LID)]).toEqual([{ type: 'stale' }, { type: 'current' }]);
});

it('keeps no client waiting for long, and has the answer for the next one', async () => {
  const { looks, answer, clock } = openTestLooks();
  const late = Promise.withResolvers<Observation>();
  answer(() => late.promise);

  const first = looks.at(BOX);
  await clock.advance(10_000);
  expect(await first).toEqual({ type: 'stale' });
  late.resolve({ type: 'unchanged' });
  answer(() => new Promise(() => undefined));
  await clock.advance(0);

  expect(await looks.at(BOX)).toEqual({ type: 'current' });
});

function openTestLooks() {
  const clock = manualClock();
  const asked: Purl[] = [];
  let answerOf: (purl: Purl) => Promise<Observation> = async () => ({ type: 'unchanged' });
  const observe = (purl: Purl) => {
    asked.push(purl);
    return answerOf(purl);
  };
  const looks = openLooks({ observe, clock, onStale: () => undefined });
  return {
    looks,
    asked,
    clock,
    answer: (next: typeof answerOf) => {
      answerOf = next;
    },
  };
}
