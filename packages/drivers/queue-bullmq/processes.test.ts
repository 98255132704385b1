import { type Job, JobError, type JobEvent, type RetryTimes } from '@granary/contract/ports';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { named, noRedis, ownPrefix, type TestRedis, testQueue, testRedis } from './test/test-redis.ts';
import { workerProcess } from './test/worker-process.ts';

const OPTIONS = { concurrency: 2, timeoutMs: 60_000 };
const SOON = { timeout: 20_000, interval: 20 };
const TIMES: RetryTimes = { atOnceMs: [20], laterMs: [60_000], restMs: { exhausted: 300, never: 60_000 } };

const job = (id: string): Job => ({ id, stage: 'sync', label: id, payload: { of: id } });
const said = (events: readonly JobEvent[], id: string): readonly string[] => events.filter((event) => event.job.id === id).map(({ type }) => type);

describe.skipIf(noRedis !== undefined)(named('processes that share a queue'), () => {
  let redis: TestRedis;
  let url: string;
  beforeAll(async () => {
    redis = await testRedis();
    url = redis.server.url;
  });
  afterAll(() => redis.remove());

  it('divide the jobs among them, and whoever listens hears of all', async () => {
    const prefix = ownPrefix();
    const scheduler = await testQueue({ url, prefix });
    const events: JobEvent[] = [];
    scheduler.subscribe((event) => events.push(event));
    const workers = [await workerProcess(url, prefix, 'work'), await workerProcess(url, prefix, 'work')];

    await scheduler.add(Array.from({ length: 200 }, (_, n) => job(`job-${n}`)));
    await scheduler.idle();

    const taken = workers.map(({ lines }) => lines.filter((line) => line.startsWith('takes ')));
    expect(Math.min(...taken.map(({ length }) => length))).toBeGreaterThan(0);
    expect(new Set(taken.flat()).size).toBe(200);
    for (const type of ['queued', 'started', 'done']) expect(events.filter((event) => event.type === type)).toHaveLength(200);
  });

  it('take over what a killed worker had in hand, within seconds and as another attempt', async () => {
    const prefix = ownPrefix();
    const scheduler = await testQueue({ url, prefix });
    const events: JobEvent[] = [];
    scheduler.subscribe((event) => events.push(event));
    const first = await workerProcess(url, prefix, 'hang');
    await scheduler.add([job('a')]);
    await vi.waitFor(() => expect(first.lines).toContain('takes a 1'), SOON);

    await first.end('SIGKILL');
    const second = await workerProcess(url, prefix, 'work');
    await scheduler.idle();

    expect(second.lines).toContain('takes a 2');
    expect(said(events, 'a')).toEqual(['queued', 'started', 'started', 'done']);
  });

  it('give up what kills each worker that takes it, and let it rest', async () => {
    const prefix = ownPrefix();
    const scheduler = await testQueue({ url, prefix });
    const events: JobEvent[] = [];
    scheduler.subscribe((event) => events.push(event));
    await scheduler.add([job('deadly')]);

    for (let deaths = 0; deaths < 5; deaths += 1) await (await workerProcess(url, prefix, 'die')).end('SIGCONT');
    const survivor = await workerProcess(url, prefix, 'die');
    await vi.waitFor(() => expect(said(events, 'deadly')).toContain('gave-up'), SOON);

    expect(said(events, 'deadly')).toEqual(['queued', ...Array.from({ length: 5 }, () => 'started'), 'gave-up']);
    expect(events.at(-1)).toMatchObject({ error: { message: expect.stringContaining('5 times') } });
    expect(survivor.child.exitCode ?? survivor.child.signalCode).toBeNull();
  });

  it('put back what they run when they are ended in order, and another takes it at once as if for the first time', async () => {
    const prefix = ownPrefix();
    const scheduler = await testQueue({ url, prefix });
    const first = await workerProcess(url, prefix, 'hang');
    await scheduler.add([job('a'), job('b'), job('c')]);
    await vi.waitFor(() => expect(first.lines).toHaveLength(3), SOON);
    const second = await workerProcess(url, prefix, 'work');

    await first.end('SIGTERM');
    const ended = performance.now();
    await scheduler.idle();

    expect(performance.now() - ended).toBeLessThan(5000);
    expect(first.child.exitCode).toBe(0);
    expect(second.lines.filter((line) => line.startsWith('takes ')).sort()).toEqual(['takes a 1', 'takes b 1', 'takes c 1']);
  });

  it('tell what was done although they were about to end', async () => {
    const prefix = ownPrefix();
    const scheduler = await testQueue({ url, prefix });
    const events: JobEvent[] = [];
    scheduler.subscribe((event) => events.push(event));
    const worker = await testQueue({ url, prefix });
    worker.handle('sync', { ...OPTIONS, concurrency: 20 }, async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await scheduler.add(Array.from({ length: 20 }, (_, n) => job(`${n}`)));
    await vi.waitFor(() => expect(events.filter(({ type }) => type === 'started')).toHaveLength(20), SOON);

    await worker.stop();
    await scheduler.idle();

    expect(events.filter(({ type }) => type === 'done')).toHaveLength(20);
  });

  it('tell who comes later what rests and what waits for later, and nothing that is over', async () => {
    const prefix = ownPrefix();
    const before = await testQueue({ url, prefix, times: TIMES });
    before.handle('sync', OPTIONS, ({ id }) => Promise.reject(new JobError(id === 'later' ? 'later' : id === 'never' ? 'never' : 'at-once', `${id} fails`)));
    await before.add(['later', 'never', 'exhausted'].map(job));
    await before.idle();
    await before.stop();
    await new Promise((resolve) => setTimeout(resolve, 400));

    const restarted = await testQueue({ url, prefix, times: TIMES });
    const events: JobEvent[] = [];
    restarted.subscribe((event) => events.push(event));
    await restarted.add(['later', 'never', 'exhausted'].map(job));
    await vi.waitFor(() => expect(events).toHaveLength(3), SOON);

    expect(events.map(({ type, job: { id } }) => [type, id])).toEqual([
      ['retrying', 'later'],
      ['gave-up', 'never'],
      ['queued', 'exhausted'],
    ]);
    expect(events[0]).toMatchObject({ at: expect.stringMatching(/^\d{4}-/), error: { message: 'later fails' }, job: job('later') });
  });

  it('are idle while a job waits for later, however long it was queued before', async () => {
    const queue = await testQueue({ url, prefix: ownPrefix(), times: { ...TIMES, laterMs: [500, 60_000] } });
    const events: JobEvent[] = [];
    queue.subscribe((event) => events.push(event));
    await queue.add([job('a')]);
    await new Promise((resolve) => setTimeout(resolve, 600));
    queue.handle('sync', OPTIONS, () => Promise.reject(new JobError('later', 'not yet')));
    await vi.waitFor(() => expect(said(events, 'a')).toEqual(['queued', 'started', 'retrying']), { ...SOON, interval: 5 });

    await queue.idle();

    expect(said(events, 'a')).toEqual(['queued', 'started', 'retrying']);
  });

  it('let go in time what another version wrote and they cannot read', async () => {
    const prefix = ownPrefix();
    const notes: string[] = [];
    const queue = await testQueue({ url, prefix, times: TIMES, onNote: (text) => notes.push(text) });
    const ran: string[] = [];
    await queue.add([job('a')]);
    const client = new Redis(url);
    onTestFinished(() => client.disconnect());
    const [key = ''] = await client.keys(`${prefix}:sync:j*`);
    await client.hset(key, 'data', '{"format":2}');

    queue.handle('sync', OPTIONS, async ({ id }) => void ran.push(id));
    await vi.waitFor(async () => {
      await queue.add([job('a')]);
      expect(ran).toEqual(['a']);
    }, SOON);

    expect(notes).toHaveLength(1);
  });

  it('start nowhere what still hangs in one of them', async () => {
    const prefix = ownPrefix();
    const times = { ...TIMES, laterMs: [100, 60_000] };
    const hanging = await testQueue({ url, prefix, times });
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    hanging.handle('sync', { concurrency: 1, timeoutMs: 100 }, () => opened);
    await hanging.add([job('a')]);
    const other = await testQueue({ url, prefix, times });
    const events: JobEvent[] = [];
    other.subscribe((event) => events.push(event));
    await vi.waitFor(() => expect(said(events, 'a')).toContain('retrying'), SOON);
    const attempts: number[] = [];
    other.handle('sync', OPTIONS, async (_, { attempt }) => void attempts.push(attempt));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(attempts).toEqual([]);

    hanging.handle('sync', { concurrency: 1, timeoutMs: 1000 }, async () => void attempts.push(2));
    open();

    await vi.waitFor(() => expect(attempts).toEqual([2]), SOON);
  });
});
