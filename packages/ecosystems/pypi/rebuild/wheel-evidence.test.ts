import { describe, expect, it } from 'vitest';
import { wheelEnvironment } from './environment.ts';
import { readSourceTree } from './source-tree.ts';
import { SECONDS_2023, type SmallWheel, sdistBytes, wheelBytes } from './test/small-project.ts';
import { parseGenerator, readWheelEvidence } from './wheel-evidence.ts';

async function environmentOf(wheel: SmallWheel, sdist = sdistBytes({ 'demo/__init__.py': 'x = 1\n' })) {
  const read = await readWheelEvidence('demo-1.0-py3-none-any.whl', wheelBytes(wheel));
  const source = await readSourceTree({ kind: 'archive', fileName: 'demo-1.0.tar.gz' }, sdist);
  if (read === undefined || source === undefined) throw new Error('unreadable');
  return wheelEnvironment(read, source);
}

describe('the Generator of a wheel', () => {
  it.each([
    ['bdist_wheel (0.41.2)', 'bdist_wheel', '0.41.2'],
    ['flit 3.9.0', 'flit', '3.9.0'],
    ['poetry-core 1.7.0', 'poetry-core', '1.7.0'],
    ['setuptools (70.1.0)', 'setuptools', '70.1.0'],
    ['pdm-backend (2.1.7)', 'pdm-backend', '2.1.7'],
    ['hatchling 1.18.0', 'hatchling', '1.18.0'],
  ])('%s names tool and version', (text, tool, version) => {
    expect(parseGenerator(text)).toEqual({ tool, version, text });
  });

  it('may name no version, or be missing', () => {
    expect(parseGenerator('homemade')).toEqual({ tool: 'homemade', text: 'homemade' });
    expect(parseGenerator(undefined)).toBeUndefined();
  });
});

describe('the time stamps of a wheel', () => {
  it('that are all the same are its SOURCE_DATE_EPOCH', async () => {
    expect(await environmentOf({})).toMatchObject({ epoch: String(SECONDS_2023), clock: '' });
  });

  it("that are a backend's default set nothing", async () => {
    const dosTime = ((2020 - 1980) << 25) | (2 << 21) | (2 << 16);

    expect(await environmentOf({ part: { dosTime } })).toMatchObject({ epoch: '', clock: '' });
  });

  it('that differ tell when the build ran by the latest', async () => {
    const earlier = ((2022 - 1980) << 25) | (1 << 21) | (1 << 16);

    expect(await environmentOf({ parts: { 'demo/__init__.py': { dosTime: earlier } } })).toMatchObject({ epoch: '', clock: String(SECONDS_2023) });
  });

  it('that are off from those of the source by whole hours tell the time zone', async () => {
    const sdist = sdistBytes({ 'demo/__init__.py': 'x = 1\n' }, { mtime: SECONDS_2023 - 2 * 3600 });

    const { timeZone, parameters } = await environmentOf({}, sdist);

    expect(timeZone).toBe('LOC-02:00');
    expect(parameters.map(({ name }) => name)).toEqual(['TZ', 'SOURCE_DATE_EPOCH']);
  });
});

describe('the machine that made a wheel', () => {
  it('had the umask that METADATA was created with', async () => {
    expect((await environmentOf({ part: { mode: 0o100644 } })).umask).toBe('022');
    expect((await environmentOf({ part: { mode: 0o100664 } })).umask).toBe('002');
    expect((await environmentOf({ part: { mode: 0o100640 } })).umask).toBe('027');
    expect((await environmentOf({ part: { mode: 0o100600 } })).umask).toBe('077');
    expect((await environmentOf({ part: { mode: 0 } })).umask).toBe('022');
  });

  it('ran Windows when entries and line endings say so', async () => {
    const metadata = 'Metadata-Version: 2.1\r\nName: demo\r\nVersion: 1.0\r\n';

    expect((await environmentOf({ metadata, part: { createSystem: 0 } })).windows).toBe(true);
    expect((await environmentOf({ part: { createSystem: 0 } })).windows).toBe(false);
  });
});

it('says nothing of a zip that is no wheel', async () => {
  expect(await readWheelEvidence('demo-1.0-py3-none-any.whl', wheelBytes({ files: {} }).subarray(0))).toBeDefined();
  await expect(readWheelEvidence('demo-1.0-py3-none-any.whl', Buffer.from('no zip'))).rejects.toThrow(/zip/);
});
