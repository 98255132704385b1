import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Job, JobEvent, Queue } from '@granary/contract/ports';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { named, noRedis, ownPrefix, type TestRedis, testQueue, testRedis } from './test/test-redis.ts';
import { type WorkerProcess, workerProcess } from './test/worker-process.ts';

const ROUNDS = 42;
const JOBS_A_ROUND = 60;
const SWEEP_MS = 300;
const CATCH_UP_MS = 60_000;

describe.skipIf(noRedis !== undefined)(named('the queue in Redis'), () => {
  it('does all that is wanted with a sweep and one fault after the other, is idle then, and does little twice', async () => {
    const site = await openSite();
    const sweeping = new AbortController();
    const sweeps = sweep(site, sweeping.signal);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let n = 0; n < JOBS_A_ROUND; n += 1) site.want({ id: `${round}-${n}`, stage: 'sync', label: '', payload: { round, n } });
      await setTimeout(500 + 400 * Math.random());
      await FAULTS[round % FAULTS.length]?.(site);
    }
    const faulted = performance.now();
    for (let missing = await site.missing(); missing.length > 0; missing = await site.missing()) {
      expect(performance.now() - faulted, `left: ${missing.map(({ id }) => id).join(' ')}`).toBeLessThan(CATCH_UP_MS);
      await setTimeout(200);
    }
    const caughtUpMs = Math.round(performance.now() - faulted);
    sweeping.abort();
    await sweeps;
    await site.scheduler.idle();

    const runs = site.said('takes ').length;
    const wanted = ROUNDS * JOBS_A_ROUND;
    const counts = (['queued', 'started', 'retrying', 'done', 'gave-up'] as const).map((type) => `${site.heard(type)} ${type}`);
    console.log(`${ROUNDS} faults: ${wanted} jobs, ${runs} runs; heard of: ${counts.join(', ')}; caught up ${caughtUpMs} ms after the last`);
    console.log(`${site.refused.length} sweeps refused\n${[...new Set([...site.notes, ...site.refused, ...site.said('note ')])].join('\n')}`);
    expect(site.heard('gave-up')).toBe(0);
    expect(runs).toBeLessThan(1.5 * wanted);
    expect(site.notes.filter((note) => /:\d+ is back$/.test(note))).toHaveLength((2 * ROUNDS) / FAULTS.length);
  });

  it('notices within 20 s that a server says nothing more, and goes on when it speaks again', async () => {
    const site = await openSite();
    const client = new Redis(site.redis.server.url);
    onTestFinished(() => client.disconnect());
    const pid = Number(/^process_id:(\d+)/m.exec(await client.info('server'))?.[1]);

    process.kill(pid, 'SIGSTOP');
    await expect.poll(() => [site.notes.length, site.said('note ').length], { timeout: 20_000 }).toEqual([1, 2]);
    process.kill(pid, 'SIGCONT');
    site.want({ id: 'after', stage: 'sync', label: '', payload: 0 });
    await site.scheduler.add(await site.missing());
    await site.scheduler.idle();

    expect(await site.missing()).toEqual([]);
  });
});

interface Site {
  readonly redis: TestRedis;
  readonly scheduler: Queue;
  /** What the scheduler noted, and why its sweeps were refused. */
  readonly notes: readonly string[];
  readonly refused: string[];
  want(job: Job): void;
  /** What is wanted and not recorded: the truth. */
  missing(): Promise<readonly Job[]>;
  heard(type: JobEvent['type']): number;
  /** What all workers have said that begins so. */
  said(start: string): readonly string[];
  readonly workers: WorkerProcess[];
  /** Ends the oldest worker, and starts another. */
  replaceWorker(signal: NodeJS.Signals): Promise<void>;
}

async function openSite(): Promise<Site> {
  const done = await mkdtemp(join(tmpdir(), 'granary-queue-done-'));
  onTestFinished(() => rm(done, { recursive: true, force: true }));
  const redis = await testRedis();
  onTestFinished(redis.remove);
  const { url } = redis.server;
  const prefix = ownPrefix();
  const notes: string[] = [];
  const scheduler = await testQueue({ url, prefix, onNote: (text) => notes.push(text) });
  const events: JobEvent[] = [];
  scheduler.subscribe((event) => events.push(event));
  const wanted = new Map<string, Job>();
  const startWorker = () => workerProcess(url, prefix, 'record', done);
  const workers = [await startWorker(), await startWorker()];
  const all = [...workers];
  return {
    redis,
    scheduler,
    notes,
    refused: [],
    workers,
    want: (job) => wanted.set(job.id, job),
    async missing() {
      const recorded = new Set(await readdir(done));
      return [...wanted.values()].filter(({ id }) => !recorded.has(id));
    },
    heard: (type) => events.filter((event) => event.type === type).length,
    said: (start) => all.flatMap(({ lines }) => lines.filter((line) => line.startsWith(start))),
    async replaceWorker(signal) {
      await workers.shift()?.end(signal);
      const next = await startWorker();
      workers.push(next);
      all.push(next);
    },
  };
}

async function sweep(site: Site, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await site.scheduler.add(await site.missing()).catch((error: Error) => site.refused.push(error.message));
    await setTimeout(SWEEP_MS);
  }
}

const FAULTS: readonly ((site: Site) => Promise<void>)[] = [
  ({ replaceWorker }) => replaceWorker('SIGKILL'),
  async function emptyRedis({ redis }) {
    const client = new Redis(redis.server.url);
    await client.flushall();
    client.disconnect();
  },
  async function killRedis({ redis }) {
    await redis.kill();
    await redis.restart();
  },
  async function holdWorkerUp({ workers }) {
    workers[0]?.child.kill('SIGSTOP');
    await setTimeout(1500);
    workers[0]?.child.kill('SIGCONT');
  },
  ({ replaceWorker }) => replaceWorker('SIGTERM'),
  async function beWithoutRedis({ redis }) {
    await redis.kill();
    await setTimeout(1500);
    await redis.restart();
  },
];
