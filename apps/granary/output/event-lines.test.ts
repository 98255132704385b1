import { PassThrough } from 'node:stream';
import { toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { openEventLines } from './event-lines.ts';

it('writes a line of JSON for each thing that happens', () => {
  const stream = new PassThrough({ encoding: 'utf8' });
  const progress = openEventLines(stream);
  const job = { id: 'store pkg:pypi/a@1', stage: 'sync', label: 'a-1.whl', payload: {} } as const;

  progress.onEvent({ type: 'started', job });
  progress.onEvent({ type: 'retrying', job, at: toInstant(0), error: new Error('no answer\nat all') });
  progress.onStep({ type: 'phase', id: 'b1-ab', name: 'fetch', state: 'started' });
  progress.onStep({ type: 'batch', id: 'log.invalid', entries: 3, state: 'ended' });
  progress.note('serving');

  const common = { stage: 'sync', id: 'store pkg:pypi/a@1', label: 'a-1.whl' };
  expect(
    String(stream.read())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { event: 'started', ...common },
    { event: 'retrying', ...common, at: '1970-01-01T00:00:00.000Z', error: 'no answer\nat all' },
    { event: 'phase', id: 'b1-ab', name: 'fetch', state: 'started' },
    { event: 'batch', id: 'log.invalid', entries: 3, state: 'ended' },
    { event: 'note', text: 'serving' },
  ]);
});
