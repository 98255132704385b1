import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@granary/core/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openForTest, type TestSandbox, whyNotHere } from './test/open-for-test.ts';

const reason = await whyNotHere();

describe.skipIf(reason !== undefined)(`a run${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let sandbox: TestSandbox;
  beforeAll(async () => {
    sandbox = await openForTest();
  }, 60_000);
  afterAll(async () => sandbox[Symbol.asyncDispose]());

  it('brings back the regular files below the output folder, sorted', async () => {
    const { phases, outputs, refused } = await sandbox.attempt('mkdir -p out/b; echo two > out/b/c; echo one > out/a');

    expect(phases).toMatchObject([{ name: 'phase-0', end: { type: 'exited', code: 0 } }]);
    expect(outputs.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])).toEqual([
      ['a', 'one\n'],
      ['b/c', 'two\n'],
    ]);
    expect(refused).toEqual([]);
  });

  it('gives the inputs to the user that builds', async () => {
    const file = join(sandbox.scratch, 'from-a-file');
    writeFileSync(file, 'from a file');
    const inputs = [
      { path: 'in/deep/file', content: { file } },
      { path: 'in/tool', content: { bytes: Buffer.from('#!/bin/sh\necho from a tool\n') }, executable: true },
    ];

    const { log } = await sandbox.attempt('cat in/deep/file; echo >> in/deep/file; touch in/more; in/tool; stat -c "%a %u" in/tool', { inputs });

    expect(log).toEqual({ text: 'from a filefrom a tool\n755 1000\n', truncated: false });
  });

  it('looks the same on every machine', async () => {
    const { log } = await sandbox.attempt('id -u; id -g; umask; pwd; env; cat /proc/sys/kernel/hostname; cat /proc/self/status', {
      phases: [{ env: { LANG: 'C', EXTRA: '1' } }],
    });

    expect(log.text).toMatch(/^1000\n1000\n0022\n\/work\n/);
    expect(log.text).toContain('LANG=C\n');
    expect(log.text).toContain('EXTRA=1\n');
    expect(log.text).toContain('TZ=UTC\n');
    expect(log.text).toContain('\ngranary\n');
    expect(log.text).toMatch(/NoNewPrivs:\t1\nSeccomp:\t2\n/);
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) expect(log.text).toContain(`Cap${set}:\t0000000000000000\n`);
  });

  it('ends with the first phase that fails, and collects all the same', async () => {
    const phases = [{ argv: ['sh', '-c', 'mkdir out; echo half > out/half; exit 3'] }, { argv: ['touch', 'out/never'] }] as const;

    const result = await sandbox.attempt('', { phases });

    expect(result.phases).toMatchObject([{ end: { type: 'exited', code: 3 } }]);
    expect(result.outputs.map(({ path }) => path)).toEqual(['half']);
  });

  it('keeps the work dir between phases, and nothing else', async () => {
    const phases = [{ argv: ['sh', '-c', 'mkdir out; touch out/a /tmp/a'] }, { argv: ['sh', '-c', 'touch out/b; ls /tmp'] }] as const;

    const result = await sandbox.attempt('', { phases });

    expect(result.outputs.map(({ path }) => path)).toEqual(['a', 'b']);
    expect(result.log.text).toBe('');
  });

  it('has no outputs where there is no output folder', async () => {
    expect(await sandbox.attempt('true')).toMatchObject({ outputs: [], refused: [] });
  });

  it('tells a signal from an exit code', async () => {
    expect((await sandbox.python('import os; os.abort()')).phases[0]?.end).toEqual({ type: 'killed', by: 'signal' });
  });

  it('stops at the end of its time, and collects all the same', async () => {
    const { phases, outputs } = await sandbox.attempt('mkdir out; echo half > out/half; trap "" TERM; sleep 100', { phases: [{ timeoutMs: 500 }] });

    expect(phases[0]?.end).toEqual({ type: 'killed', by: 'timeout' });
    expect(outputs.map(({ path }) => path)).toEqual(['half']);
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 400);

    const { phases, outputs } = await sandbox.attempt('mkdir out; touch out/a; sleep 100', { signal: controller.signal });

    expect(phases).toMatchObject([{ end: { type: 'killed', by: 'abort' } }]);
    expect(outputs).toEqual([]);
  });

  it('that was aborted before it began says so', async () => {
    expect((await sandbox.attempt('true', { signal: AbortSignal.abort() })).phases).toMatchObject([{ end: { type: 'killed', by: 'abort' }, durationMs: 0 }]);
  });

  it('may overlap with others, but not with one of its own id', async () => {
    const results = await Promise.allSettled([
      sandbox.attempt('sleep 0.3', { id: 'same' }),
      sandbox.attempt('true', { id: 'same' }),
      sandbox.attempt('sleep 0.3', { id: 'other' }),
    ]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'bad-request' } });
  });

  it('whose program is not in the root filesystem is our failure, not a verdict', async () => {
    await expect(sandbox.attempt('', { phases: [{ argv: ['no-such-program'] }] })).rejects.toMatchObject({
      code: 'infrastructure',
      message: expect.stringContaining('no-such-program'),
    });
  });

  it('with an input that cannot be read is our failure', async () => {
    await expect(sandbox.attempt('true', { inputs: [{ path: 'x', content: { file: '/nowhere/at/all' } }] })).rejects.toMatchObject({ code: 'infrastructure' });
  });

  it('ends with its sandbox, which takes no more', async () => {
    const closing = await openForTest();
    const running = closing.attempt('sleep 100');
    await closing[Symbol.asyncDispose]();

    expect((await running).phases).toMatchObject([{ end: { type: 'killed', by: 'abort' } }]);
    await expect(closing.attempt('true')).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('in a root filesystem that is not prepared is our failure', async () => {
    await expect(sandbox.attempt('true', { rootfs: sha256('another') })).rejects.toMatchObject({ code: 'rootfs-missing' });
  });

  it.each([
    ['an id that is a path', { id: '../x' }],
    ['an output folder outside', { outputDir: '../etc' }],
    ['an input outside', { inputs: [{ path: 'a/../../x', content: { bytes: new Uint8Array() } }] }],
    ['a mirror without a socket', { phases: [{ network: 'mirror' }] }],
    ['a socket path that the kernel would cut', { mirrorSocket: `/${'x'.repeat(110)}` }],
    ['no time', { phases: [{ timeoutMs: 0 }] }],
  ] as const)('is refused for %s', async (_, attempt) => {
    await expect(sandbox.attempt('true', attempt)).rejects.toMatchObject({ code: 'bad-request' });
  });
});
