import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const OUTCOMES = `
import { beforeAll, describe, expect, it } from 'vitest';
it('passes', () => expect(1).toBe(1));
it('fails', () => expect(1).toBe(2));
it('is skipped with a reason', (context) => context.skip(true, 'no sandbox here'));
it.skip('is skipped without one', () => expect(1).toBe(1));
it.skip('is skipped by its name (skipped: no disk)', () => expect(1).toBe(1));
describe('a group that cannot start', () => {
  beforeAll(() => { throw new Error('no ground'); });
  it('is never reached', () => expect(1).toBe(1));
});
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'granary-tally-'));
  symlinkSync(join(dirname(dirname(import.meta.dirname)), 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'outcomes.test.ts'), OUTCOMES);
  writeFileSync(join(folder, 'unreadable.test.ts'), "import './missing.ts';\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('counts what ran, what could not run as failed, and what was skipped with its reason', () => {
  const tally = pathToFileURL(join(import.meta.dirname, 'tally.ts')).href;
  const script = `
    import { startVitest } from 'vitest/node';
    import { tallyOf } from '${tally}';
    const vitest = await startVitest([], { root: ${JSON.stringify(folder)}, watch: false, reporters: [{}] });
    const counted = tallyOf(vitest.state.getTestModules(), 0);
    await vitest.close();
    console.log(JSON.stringify(counted));`;
  writeFileSync(join(folder, 'count.mjs'), script);

  const { stdout, stderr } = spawnSync(process.execPath, ['count.mjs'], { cwd: folder, encoding: 'utf8' });

  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''), stderr).toEqual({
    passed: 1,
    failed: 3,
    skips: [
      { test: 'outcomes.test.ts > is skipped with a reason', reason: 'no sandbox here' },
      { test: 'outcomes.test.ts > is skipped without one', reason: 'no reason given' },
      { test: 'outcomes.test.ts > is skipped by its name (skipped: no disk)', reason: 'as its name says' },
      { test: 'outcomes.test.ts > a group that cannot start > is never reached', reason: 'no reason given' },
    ],
  });
});
