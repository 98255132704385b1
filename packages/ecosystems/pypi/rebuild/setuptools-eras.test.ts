import { describe, expect, it } from 'vitest';
import { likelyEras } from './setuptools-eras.ts';
import { readSourceTree } from './source-tree.ts';
import { type SmallWheel, sdistBytes, wheelBytes } from './test/small-project.ts';
import { readWheelEvidence } from './wheel-evidence.ts';

async function likeliest(wheel: SmallWheel, before: string, files: Readonly<Record<string, string>> = { LICENSE: '' }): Promise<string | undefined> {
  const read = await readWheelEvidence('demo-1.0-py3-none-any.whl', wheelBytes(wheel));
  const source = await readSourceTree({ kind: 'archive', fileName: 'demo-1.0.tar.gz' }, sdistBytes(files));
  if (read === undefined || source === undefined) throw new Error('unreadable');
  return likelyEras(read, source, before)[0];
}

const head = (...lines: readonly string[]) => `Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n${lines.map((line) => `${line}\n`).join('')}`;

describe('the release of setuptools that wrote METADATA', () => {
  it('is before 62.2 when blank lines stand at the end', async () => {
    expect(await likeliest({ metadata: `${head('License-File: LICENSE')}\ntext\n\n\n` }, '2023-05-06')).toBe('setuptools>=60.9,<62.2');
  });

  it('is before 57 when a licence lies in the source, but none is named', async () => {
    expect(await likeliest({ metadata: `${head('Platform: UNKNOWN')}\ntext\n\n\n` }, '2023-05-06')).toBe('setuptools>=36.4,<57');
  });

  it('is before 60.9 when entry_points.txt ends in a blank line', async () => {
    const files = { 'demo-1.0.dist-info/entry_points.txt': '[console_scripts]\nx = demo:x\n\n' };

    expect(await likeliest({ metadata: `${head('License-File: LICENSE')}\ntext\n\n\n`, files }, '2023-05-06')).toBe('setuptools>=57,<60.9');
  });

  it('is from 69.0.3 on when the name keeps its underscore', async () => {
    const metadata = `${head('License-File: LICENSE').replace('demo', 'de_mo')}\ntext\n`;

    expect(await likeliest({ metadata }, '2024-05-06')).toBe('setuptools>=69.0.3,<70.1');
  });

  it('is none that was published later', async () => {
    expect(await likeliest({ metadata: `${head()}\ntext\n` }, '2017-06-08', {})).toBe('setuptools>=35.0.2,<36.4');
  });
});
