import { manualClock } from '@granary/contract/memory';
import { UpstreamError } from '@granary/contract/ports';
import { formatPurl, type Purl } from '@granary/core/model';
import { expect, it } from 'vitest';
import type { Observation } from '../observe.ts';
import type { Sighting } from '../sighting.ts';
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

it('tells what it sees before that is on record, and has it sequenced at once only for whoever waits for that', async () => {
  const { looks, answer, hurried, sequence, asked } = openTestLooks({ isSequenced: false });
  const document = { package: BOX, artifacts: [], refused: [] };
  answer(async () => ({ type: 'changed', document, sizeBytes: 1, facts: 1 }));

  const sight = await looks.sight(BOX);
  const before = [...hurried];
  const look = await looks.at(BOX);
  sequence();
  await looks[Symbol.asyncDispose]();

  expect([sight, before, look, hurried, asked]).toEqual([
    { type: 'sighted', sighted: { document, recorded: expect.any(Promise) } },
    [],
    { type: 'current' },
    [1],
    [BOX],
  ]);
  expect([await looks.sight(BOX), looks.underWay(BOX)]).toEqual([{ type: 'current' }, undefined]);
});

it('waits for no upstream when the process ends', async () => {
  const { looks, answer, signals } = openTestLooks();
  answer(() => new Promise((_, reject) => signals[0]?.addEventListener('abort', () => reject(new Error('aborted')))));
  const look = looks.at(BOX);

  await looks[Symbol.asyncDispose]();

  expect([await look, looks.underWay(BOX)]).toEqual([{ type: 'stale' }, undefined]);
});

function openTestLooks({ isSequenced = true }: { readonly isSequenced?: boolean } = {}) {
  const clock = manualClock();
  const asked: Purl[] = [];
  const hurried: number[] = [];
  const sequenced = Promise.withResolvers<void>();
  if (isSequenced) sequenced.resolve();
  let answerOf: (purl: Purl) => Promise<Observation> = async () => ({ type: 'unchanged' });
  const signals: AbortSignal[] = [];
  const observe = (purl: Purl, signal: AbortSignal): Sighting => {
    asked.push(purl);
    signals.push(signal);
    const recorded = answerOf(purl);
    const document = recorded.then((observation) => (observation.type === 'changed' ? observation.document : undefined));
    const settled = recorded.then(async (observation) => {
      await sequenced.promise;
      return observation;
    });
    for (const step of [document, settled]) step.catch(() => undefined);
    return { document, recorded, settled };
  };
  const settle = async () => void hurried.push(asked.length);
  const looks = openLooks({ observe, settle, clock, onStale: () => undefined });
  return {
    looks,
    asked,
    signals,
    hurried,
    clock,
    sequence: sequenced.resolve,
    answer: (next: typeof answerOf) => {
      answerOf = next;
    },
  };
}
