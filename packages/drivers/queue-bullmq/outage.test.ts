import type { Job, JobEvent } from '@granary/contract/ports';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openBullQueue } from './index.ts';
import { machineClock } from './test/machine-clock.ts';
import { named, noRedis, ownPrefix, type TestRedis, testQueue, testRedis } from './test/test-redis.ts';

const OPTIONS = { concurrency: 2, timeoutMs: 60_000 };
const STALL = { lockMs: 1000, checkMs: 300 };
const SOON = { timeout: 20_000, interval: 20 };

const jobs = (...ids: readonly string[]): readonly Job[] => ids.map((id) => ({ id, stage: 'sync', label: id, payload: id }));

describe.skipIf(noRedis !== undefined)(named('a queue whose Redis fails'), () => {
  let redis: TestRedis;
  let notes: string[];
  let workerNotes: string[];
  const onNote = (text: string) => notes.push(text);
  beforeEach(async () => {
    notes = [];
    workerNotes = [];
    redis = await testRedis();
    const { remove } = redis;
    onTestFinished(remove);
  });

  /** Who adds and listens, and who works, on connections of their own. */
  async function pair() {
    const both = { url: redis.server.url, prefix: ownPrefix(), stall: STALL };
    const scheduler = await testQueue({ ...both, onNote });
    const worker = await testQueue({ ...both, onNote: (text) => workerNotes.push(text) });
    const events: JobEvent[] = [];
    scheduler.subscribe((event) => events.push(event));
    const heard = (type: JobEvent['type']) => new Set(events.filter((event) => event.type === type).map((event) => event.job.id));
    return { scheduler, worker, heard };
  }

  it('goes on after it was emptied in the middle: the sweep adds again what was lost, and everybody hears of it', async () => {
    const { scheduler, worker, heard } = await pair();
    const aborted: string[] = [];
    let stuck = true;
    worker.handle('sync', OPTIONS, async ({ id }, { signal }) => {
      if (!stuck) return;
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))).finally(() => aborted.push(id));
    });
    await scheduler.add(jobs('a', 'b', 'c', 'd'));
    await vi.waitFor(() => expect(heard('started')).toEqual(new Set(['a', 'b'])), SOON);

    const client = new Redis(redis.server.url);
    await client.flushall();
    client.disconnect();
    stuck = false;
    await scheduler.add(jobs('a', 'b', 'c', 'd', 'e'));
    await scheduler.idle();

    expect(heard('done')).toEqual(new Set(['a', 'b', 'c', 'd', 'e']));
    expect(aborted.sort()).toEqual(['a', 'b']);
    expect(notes).toEqual([]);
    expect(workerNotes).toEqual([expect.stringContaining('lost when Redis was emptied')]);
  });

  it('says so when it has no room, and goes on when it has', async () => {
    const { scheduler, worker, heard } = await pair();
    worker.handle('sync', OPTIONS, async () => undefined);
    const client = new Redis(redis.server.url);
    onTestFinished(() => client.disconnect());

    await client.config('SET', 'maxmemory', '1');
    await expect(scheduler.add(jobs('a'))).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('OOM') });
    await client.config('SET', 'maxmemory', '0');
    await scheduler.add(jobs('a'));
    await scheduler.idle();

    expect(heard('done')).toEqual(new Set(['a']));
  });

  it('rejects an add within seconds while it is gone, says so once, and goes on when it is back and empty', async () => {
    const { scheduler, worker, heard } = await pair();
    worker.handle('sync', OPTIONS, async ({ id }) => {
      if (id === 'during') await redis.server.kill();
    });
    await scheduler.add(jobs('before'));
    await scheduler.idle();

    await scheduler.add(jobs('during'));
    await vi.waitFor(() => expect(notes).toHaveLength(1), SOON);
    const adding = scheduler.add(jobs('meanwhile'));
    await expect(adding).rejects.toMatchObject({ name: 'QueueError', code: 'unreachable', message: expect.stringContaining('127.0.0.1') });
    await redis.restart();
    await vi.waitFor(() => expect(notes).toHaveLength(2), SOON);
    await scheduler.add(jobs('during', 'after'));
    await scheduler.idle();

    expect(heard('done')).toEqual(new Set(['before', 'during', 'after']));
    expect(notes).toEqual([expect.stringMatching(/is gone/), expect.stringMatching(/is back/)]);
  });

  it('ends within seconds although it is gone', async () => {
    const { scheduler, worker, heard } = await pair();
    worker.handle('sync', OPTIONS, (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))));
    await scheduler.add(jobs('a'));
    await vi.waitFor(() => expect(heard('started').size).toBe(1), SOON);

    await redis.server.kill();
    const before = performance.now();
    await Promise.all([worker.stop(), scheduler.stop()]);

    expect(performance.now() - before).toBeLessThan(8000);
  });

  it('is not opened at all, and says which server it was but not the password', async () => {
    await redis.server.kill();

    const opening = openBullQueue({ url: redis.server.url, clock: machineClock, onNote });

    await expect(opening).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^connect: 127\.0\.0\.1:\d+ did not answer for 5 s .*ECONNREFUSED/),
    });
    await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining(new URL(redis.server.url).password) });
  });

  it('is not opened with a wrong password, and that is said at once', async () => {
    const url = Object.assign(new URL(redis.server.url), { password: 'guessed' }).href;
    const before = performance.now();

    await expect(openBullQueue({ url, clock: machineClock, onNote })).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('WRONGPASS') });

    expect(performance.now() - before).toBeLessThan(3000);
  });
});
