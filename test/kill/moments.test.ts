import { expect, it } from 'vitest';
import { followLines } from './moments.ts';

const job = (event: string, id: string) => JSON.stringify({ event, stage: 'rebuild', id, label: id });
const phase = (name: string, state: string) => JSON.stringify({ event: 'phase', id: 'b1-ab', name, state });

it('knows what a process was about when its last line was written', () => {
  const following = followLines();

  for (const line of [job('queued', 'x'), job('started', 'x'), phase('fetch', 'started'), phase('fetch', 'ended'), phase('build', 'started')])
    following.read(line);
  following.read(JSON.stringify({ event: 'batch', id: 'log.invalid', entries: 2, state: 'started' }));

  expect([...following.inside()]).toEqual(['build', 'drain']);
  expect(following.complaints).toEqual([]);
});

it('hands on what went wrong, and what is no line of JSON', () => {
  const following = followLines();

  following.read(JSON.stringify({ event: 'gave-up', stage: 'judge', id: 'judge x', label: 'x', error: 'no such blob' }));
  following.read(JSON.stringify({ event: 'note', text: 'a fact was refused: stale-prev' }));
  following.read('granary: the disk is full');

  expect(following.complaints).toEqual(['gave-up judge x: no such blob', 'a fact was refused: stale-prev', 'granary: the disk is full']);
});
