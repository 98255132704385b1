import { describe, expect, it } from 'vitest';
import { readSourceTree } from './source-tree.ts';
import { sdistBytes, wheelBytes } from './test/small-project.ts';
import { zoneOf } from './time-zone.ts';
import { readWheelEvidence } from './wheel-evidence.ts';

const utc = (text: string): number => Date.parse(text) / 1000;

/** Files by their time in the source (UTC) and by how many hours the wheel's stamp is off. */
async function zone(...files: readonly (readonly [time: string, hours: number])[]): Promise<string | undefined> {
  const wheel = await readWheelEvidence('demo-1.0-py3-none-any.whl', wheelBytes());
  const sdist = await readSourceTree({ kind: 'archive', fileName: 'demo-1.0.tar.gz' }, sdistBytes({ 'setup.py': '' }));
  if (wheel === undefined || sdist === undefined) throw new Error('unreadable');
  const payload = files.map(([time, hours], index) => ({ path: `demo/${index}.py`, stamp: utc(time) + hours * 3600 }));
  return zoneOf({ ...wheel, payload }, { ...sdist, files: files.map(([time], index) => ({ path: `src/demo/${index}.py`, mtime: utc(time) })) });
}

describe('the zone in which a wheel was built', () => {
  it('is UTC where stamps are those of the source', async () => {
    expect(await zone(['2023-01-30T15:29:48Z', 0])).toBeUndefined();
  });

  it('is a fixed offset where all stamps are off by the same', async () => {
    expect(await zone(['2023-01-30T15:29:48Z', -5], ['2023-02-01T00:00:00Z', -5])).toBe('LOC+05:00');
    expect(await zone(['2023-01-30T15:29:48Z', 5.5])).toBe('LOC-05:30');
  });

  it.each([
    [
      'LOC+00:00LOS-01:00,M3.5.0/1,M10.5.0/2',
      [
        ['2023-01-30T15:29:48Z', 0],
        ['2023-03-26T00:59:58Z', 0],
        ['2023-03-26T01:00:00Z', 1],
        ['2023-10-29T00:59:58Z', 1],
      ],
    ],
    [
      'LOC-01:00LOS-02:00,M3.5.0/2,M10.5.0/3',
      [
        ['2023-12-01T00:00:00Z', 1],
        ['2023-10-28T23:00:00Z', 2],
      ],
    ],
    [
      'LOC+08:00LOS+07:00,M3.2.0/2,M11.1.0/2',
      [
        ['2023-03-12T09:59:58Z', -8],
        ['2023-03-12T10:00:00Z', -7],
        ['2023-11-05T09:00:00Z', -8],
      ],
    ],
    [
      'LOC-10:00LOS-11:00,M10.1.0/2,M4.1.0/3',
      [
        ['2023-01-01T00:00:00Z', 11],
        ['2023-07-01T00:00:00Z', 10],
      ],
    ],
  ] as const)('has summer time where the stamps keep to its rule: %s', async (name, files) => {
    expect(await zone(...files)).toBe(name);
  });

  it('is the most frequent offset where no rule holds', async () => {
    expect(await zone(['2023-07-01T00:00:00Z', 1], ['2023-07-02T00:00:00Z', 2], ['2023-07-03T00:00:00Z', 2])).toBe('LOC-02:00');
  });
});
