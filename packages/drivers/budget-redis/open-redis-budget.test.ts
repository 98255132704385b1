import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type RedisServer, redisMissing, startRedis } from '@granary/services';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openRedisBudget } from './index.ts';

const missing = redisMissing();
const HOST = 'registry.example:443';

describe.skipIf(missing !== undefined)(`a budget in Redis${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let folder: string;
  let server: RedisServer;
  let notes: string[];
  beforeEach(async () => {
    notes = [];
    folder = await mkdtemp(join(tmpdir(), 'granary-budget-'));
    server = await startRedis({ folder });
  });
  afterEach(async () => {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  });

  function opened(limits: { readonly requestsPerSecond: number; readonly burst: number }) {
    const budget = openRedisBudget({ url: server.url, ...limits, onNote: (text) => notes.push(text) });
    onTestFinished(() => budget[Symbol.asyncDispose]());
    return budget;
  }

  it('lets go a burst, then says how long to wait, for each host apart', async () => {
    const budget = opened({ requestsPerSecond: 2, burst: 3 });

    const takes: number[] = [];
    for (let n = 0; n < 4; n += 1) takes.push(await budget.take(HOST));

    expect(takes.slice(0, 3)).toEqual([0, 0, 0]);
    expect(takes[3]).toBeGreaterThan(300);
    expect(takes[3]).toBeLessThanOrEqual(500);
    expect(await budget.take('another.example:443')).toBe(0);
  });

  it('is kept by two processes together', async () => {
    const children = [0, 1].map(() => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'test/asking-process.ts'), server.url, HOST, '2000'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const lines: string[] = [];
      const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
      return { child, lines, ready: once(reader, 'line'), closed: once(child, 'close') };
    });
    await Promise.all(children.map(({ ready }) => ready));
    for (const { child } of children) child.stdin.write('go\n');
    await Promise.all(children.map(({ closed }) => closed));

    const went = children.map(({ lines }) => lines.slice(1).map(Number));
    const all = went.flat().toSorted((a, b) => a - b);
    const seconds = ((all.at(-1) ?? 0) - (all[0] ?? 0)) / 1000;
    expect(all.length).toBeLessThanOrEqual(10 + 40 * seconds + 1);
    expect(all.length).toBeGreaterThan(0.8 * (10 + 40 * 2));
    expect(Math.min(...went.map(({ length }) => length))).toBeGreaterThan(10);
  });

  it('honours for all the pause that one was asked for, and never makes it shorter', async () => {
    const limits = { requestsPerSecond: 1000, burst: 100 };
    const [one, other] = [opened(limits), opened(limits)];
    expect(await other.take(HOST)).toBe(0);

    await one.pause(HOST, 400);
    await one.pause(HOST, 50);

    expect(await other.take(HOST)).toBeGreaterThan(300);
    expect(await other.take('another.example:443')).toBe(0);
    await vi.waitFor(async () => expect(await other.take(HOST)).toBe(0), { timeout: 2000, interval: 20 });
  });

  it('lets go while Redis is gone, says so once, and keeps the budget again when it is back', async () => {
    const budget = opened({ requestsPerSecond: 1, burst: 1 });
    expect(await budget.take(HOST)).toBe(0);
    expect(await budget.take(HOST)).toBeGreaterThan(0);

    await server.kill();
    for (let n = 0; n < 20; n += 1) expect(await budget.take(HOST)).toBe(0);
    await budget.pause(HOST, 1000);
    expect(notes).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+ keeps no budget/)]);

    server = await startRedis({ folder, port: server.port });
    await vi.waitFor(async () => expect(await budget.take(HOST)).toBeGreaterThan(0), { timeout: 10_000, interval: 20 });
    expect(notes.slice(1)).toEqual([expect.stringMatching(/is back/)]);
  });
});
