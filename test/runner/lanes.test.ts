import { expect, it } from 'vitest';
import { lanesIn } from './lanes.ts';

it('reads the heavy lanes and benchmarks out of a table of commands, and nothing else', () => {
  const readme = [
    '| command | what it does |',
    '|---|---|',
    '| `npm test` | everything else |',
    '| `npm run lane:kill` | kills 100 times |',
    '| `npm run bench:log` | appends |',
  ];

  expect(lanesIn(readme.join('\n'))).toEqual([
    { command: 'npm run lane:kill', shows: 'kills 100 times' },
    { command: 'npm run bench:log', shows: 'appends' },
  ]);
});
