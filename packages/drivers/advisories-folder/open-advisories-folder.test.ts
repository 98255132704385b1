import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { manualClock } from '@granary/contract/memory';
import type { KnownAdvisories } from '@granary/contract/ports';
import { MAX_OSV_BYTES } from '@granary/core/osv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdvisoriesFolder, openAdvisoriesFolder } from './index.ts';

let folder = '';
let notes: string[] = [];
const opened: AdvisoriesFolder[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-advisories-'));
  notes = [];
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** However long the look before took. */
const LOOKED_AGAIN_MS = 1_000_000;
const clock = manualClock();
async function read(everyMs?: number): Promise<AdvisoriesFolder> {
  const advisories = openAdvisoriesFolder({ folder, clock, note: (text) => notes.push(text), ...(everyMs === undefined ? {} : { everyMs }) });
  opened.push(advisories);
  await advisories.ready;
  return advisories;
}
interface Sample {
  readonly packages?: readonly (readonly [ecosystem: string, name: string])[];
  readonly more?: object;
}
async function write(path: string, { packages = [['npm', 'wick']], more = {} }: Sample = {}): Promise<void> {
  const affected = packages.map(([ecosystem, name]) => ({ package: { ecosystem, name } }));
  const id = path.replace(/^.*\//, '').replace('.json', '');
  await writeText(path, JSON.stringify({ id, modified: '2024-01-01T00:00:00Z', affected, ...more }));
}
async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}
/** Ids by package, or why nothing is known. */
function summary(known: KnownAdvisories): unknown {
  if (known.type === 'unknown') return [known.status, known.why];
  return Object.fromEntries([...known.byName].map(([name, records]) => [name, records.map(({ id }) => id).sort()]));
}

describe('a folder of advisories', () => {
  it('tells what concerns a package, wherever it lies', async () => {
    await write('A-1.json');
    await write('2024/01/A-2.json', {
      packages: [
        ['npm', 'wick'],
        ['npm', '@lamp/oil'],
        ['PyPI', 'wick'],
      ],
    });
    await write('A-3.json', { packages: [['PyPI', 'oil']] });
    await writeText('notes.txt', 'nothing');
    const advisories = await read();

    expect(summary(await advisories.of('npm', ['wick', '@lamp/oil', 'oil', '__proto__', 'constructor']))).toEqual({
      wick: ['A-1', 'A-2'],
      '@lamp/oil': ['A-2'],
    });
    expect(summary(await advisories.of('PyPI', ['wick', 'oil']))).toEqual({ wick: ['A-2'], oil: ['A-3'] });
    expect(notes).toEqual([`advisories of ${folder}: 3 advisories`]);
  });

  it('leaves out what was withdrawn', async () => {
    await write('A-1.json');
    await write('A-2.json', { more: { withdrawn: '2024-02-02T00:00:00Z' } });

    expect(summary(await (await read()).of('npm', ['wick']))).toEqual({ wick: ['A-1'] });
  });

  it('passes over what is broken, and names it once', async () => {
    await write('A-1.json');
    await writeText('B-1.json', '{');
    await writeText('B-2.json', '['.repeat(MAX_OSV_BYTES + 1));
    await writeText('B-3.json', '{"id":"../x","modified":"x"}');
    const advisories = await read(10);
    for (let look = 0; look < 2; look += 1) await clock.advance(LOOKED_AGAIN_MS);

    expect(summary(await advisories.of('npm', ['wick']))).toEqual({ wick: ['A-1'] });
    expect(notes.toSorted()).toEqual([
      `advisories of ${folder}: 1 advisories`,
      `advisories of ${folder}: B-1.json is passed over: not JSON`,
      `advisories of ${folder}: B-2.json is passed over: ${MAX_OSV_BYTES + 1} bytes, at most ${MAX_OSV_BYTES} are read`,
      expect.stringContaining('B-3.json is passed over: not an advisory as OSV writes it: id'),
    ]);
  });

  it('follows no links, and no folders that are deeper than any database', async () => {
    await write('A-1.json');
    await write('1/2/3/4/5/6/7/8/A-2.json');
    await write('1/2/3/4/5/6/7/8/9/A-3.json');
    await symlink(join(folder, 'A-1.json'), join(folder, 'A-4.json'));
    await symlink(folder, join(folder, 'loop'));

    expect(summary(await (await read()).of('npm', ['wick']))).toEqual({ wick: ['A-1', 'A-2'] });
  });

  it('says that it knows nothing when it has nothing to know it from', async () => {
    expect(summary(await (await read()).of('npm', ['wick']))).toEqual([424, expect.stringContaining('holds none for npm')]);
    await rm(folder, { recursive: true });
    expect(summary(await (await read()).of('npm', ['wick']))).toEqual([424, expect.stringContaining('granary doctor')]);
    expect(notes.at(-1)).toContain('ENOENT');
  });

  it('says so while it is being read for the first time', async () => {
    await write('A-1.json');
    const advisories = openAdvisoriesFolder({ folder, clock, note: () => undefined });
    opened.push(advisories);

    expect(summary(await advisories.of('npm', ['wick']))).toEqual([503, expect.stringContaining('are being read')]);
  });

  it('answers only so much at once', async () => {
    const names = Array.from({ length: 5001 }, (_, index) => `wick${index}`);
    await write('A-1.json', { packages: names.map((name) => ['npm', name]) });
    const advisories = await read();

    expect(await advisories.of('npm', names.slice(1))).toMatchObject({ type: 'known', byName: { size: 5000 } });
    expect(summary(await advisories.of('npm', names))).toEqual([413, expect.stringContaining('at most 5000')]);
  });

  it('follows what changes, comes and goes', async () => {
    await write('A-1.json');
    await write('A-2.json');
    const advisories = await read(10);

    await write('A-1.json', { packages: [['npm', 'oil']] });
    await write('A-3.json');
    await rm(join(folder, 'A-2.json'));
    const meanwhile = summary(await advisories.of('npm', ['wick']));
    await clock.advance(LOOKED_AGAIN_MS);

    await expect.poll(async () => summary(await advisories.of('npm', ['wick', 'oil']))).toEqual({ wick: ['A-3'], oil: ['A-1'] });
    expect(meanwhile).toEqual([503, expect.stringContaining('is changing')]);
  });

  it('that goes is no good news, and counts again when it is back', async () => {
    await write('A-1.json');
    const advisories = await read(10);

    await rename(folder, `${folder}-away`);
    await clock.advance(LOOKED_AGAIN_MS);
    await expect.poll(async () => summary(await advisories.of('npm', ['oil']))).toEqual([424, expect.stringContaining('granary doctor')]);
    await rename(`${folder}-away`, folder);
    await clock.advance(LOOKED_AGAIN_MS);

    await expect.poll(async () => summary(await advisories.of('npm', ['wick']))).toEqual({ wick: ['A-1'] });
  });
});
