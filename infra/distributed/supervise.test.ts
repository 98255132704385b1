import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { supervise } from './index.ts';

function supervised(script: string) {
  const lines: string[] = [];
  const process = supervise({ name: 'script', argv: ['sh', '-c', script], env: {}, onLine: (line) => lines.push(line) });
  onTestFinished(() => process.stop(0).then(() => undefined));
  const said = async (count: number, text: string) => {
    while (lines.filter((line) => line === text).length < count) await sleep(10);
  };
  return { process, lines, said };
}

it('starts again what was killed, until it is stopped', async () => {
  const { process, lines, said } = supervised('echo here; exec sleep 600');

  await said(1, 'here');
  globalThis.process.kill(process.pid() ?? 0, 'SIGKILL');
  await said(2, 'here');
  const starts = process.starts();
  await process.stop();

  expect(starts).toBe(2);
  expect(lines).toContain('ended with SIGKILL; starting it again');
  expect(process.pid()).toBeUndefined();
});

it('leaves alone what ended with 0', async () => {
  const { process } = supervised('echo done');

  expect(await process.ended).toBe(0);
  expect(process.starts()).toBe(1);
});
