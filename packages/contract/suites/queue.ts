import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Job, type JobContext, JobError, type JobEvent, type Queue, type RetryTimes, type Stage } from '../ports/index.ts';

export interface OpenedQueue {
  readonly queue: Queue;
  /** The queue's time, in milliseconds. */
  now(): number;
  /** Lets so much of the queue's time pass, and all that happens in it; on a machine's time also a little more. */
  advance(milliseconds: number): Promise<void>;
}

export interface QueueSubject {
  /** An empty queue with these retry times. */
  readonly open: (times: RetryTimes) => OpenedQueue | Promise<OpenedQueue>;
  /** What the suite takes for a second of the queue's time: less, where that is the machine's. */
  readonly secondMs: number;
  /** How much later than planned things may happen by themselves. */
  readonly lagMs: number;
}

const job = (id: string, stage: Stage = 'sync'): Job => ({ id, stage, label: id, payload: { of: id } });
const said = (events: readonly JobEvent[], id: string): readonly string[] => events.filter((event) => event.job.id === id).map(({ type }) => type);

/** A handler that returns when it is told to. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** What every Queue must do. */
export function queueContract({ open, secondMs, lagMs }: QueueSubject): void {
  const SECOND = secondMs;
  const TIMES: RetryTimes = {
    atOnceMs: [10 * SECOND, 10 * SECOND, 10 * SECOND],
    laterMs: [60 * SECOND, 150 * SECOND],
    restMs: { exhausted: 100 * SECOND, never: 200 * SECOND },
  };
  const OPTIONS = { concurrency: 2, timeoutMs: 60 * SECOND };
  let queue: Queue;
  let advance: OpenedQueue['advance'];
  let now: OpenedQueue['now'];
  let events: JobEvent[];
  beforeEach(async () => {
    ({ queue, advance, now } = await open(TIMES));
    events = [];
    queue.subscribe((event) => events.push(event));
  });
  afterEach(() => queue.stop());

  /** Registers a handler that keeps count of its attempts by job. */
  function counting(handler: (attempt: number, context: JobContext) => Promise<void>, stage: Stage = 'sync'): Map<string, number> {
    const attempts = new Map<string, number>();
    queue.handle(stage, OPTIONS, async ({ id }, context) => {
      attempts.set(id, context.attempt);
      await handler(context.attempt, context);
    });
    return attempts;
  }
  const failing = (retry: 'at-once' | 'later' | 'never') => counting(() => Promise.reject(new JobError(retry, `fails ${retry}`)));

  describe('running', () => {
    it('hands a job to the handler of its stage, in the order in which jobs came', async () => {
      const seen: unknown[] = [];
      queue.handle('sync', { ...OPTIONS, concurrency: 1 }, async (given) => void seen.push(given));
      await queue.add([job('b'), job('a'), job('c'), job('other', 'judge')]);

      await advance(0);

      expect(seen).toEqual([job('b'), job('a'), job('c')]);
      expect(said(events, 'a')).toEqual(['queued', 'started', 'done']);
      expect(said(events, 'other')).toEqual(['queued']);
    });

    it('runs emergencies first and what has time last, each in the order in which they came', async () => {
      const seen: string[] = [];
      const urgent = (id: string, urgency: 'emergency' | 'whenever'): Job => ({ ...job(id), urgency });
      await queue.add([urgent('slow 1', 'whenever'), job('usual 1'), urgent('slow 2', 'whenever'), job('usual 2'), urgent('now 1', 'emergency')]);
      await queue.add([job('usual 3'), urgent('now 2', 'emergency')]);

      queue.handle('sync', { ...OPTIONS, concurrency: 1 }, async ({ id }) => void seen.push(id));
      await advance(0);

      expect(seen).toEqual(['now 1', 'now 2', 'usual 1', 'usual 2', 'usual 3', 'slow 1', 'slow 2']);
    });

    it('moves up what is queued and has become an emergency', async () => {
      const seen: string[] = [];
      await queue.add([job('a'), { ...job('b'), urgency: 'whenever' }, job('c'), job('d')]);
      await queue.add([
        { ...job('b'), urgency: 'emergency' },
        { ...job('d'), urgency: 'emergency' },
      ]);

      queue.handle('sync', { ...OPTIONS, concurrency: 1 }, async ({ id }) => void seen.push(id));
      await advance(0);

      expect(seen).toEqual(['b', 'd', 'a', 'c']);
      expect(events.filter(({ type }) => type === 'queued')).toHaveLength(4);
    });

    it('takes jobs before their stage has a handler', async () => {
      await queue.add([job('early')]);

      const attempts = counting(async () => undefined);
      await advance(0);

      expect(attempts.get('early')).toBe(1);
    });

    it('runs as many of a stage at once as it may, and no more', async () => {
      const wait = gate();
      let running = 0;
      let most = 0;
      queue.handle('sync', { ...OPTIONS, concurrency: 3 }, async () => {
        running += 1;
        most = Math.max(most, running);
        await wait.opened;
        running -= 1;
      });
      await queue.add(Array.from({ length: 10 }, (_, n) => job(String(n))));
      await advance(0);
      expect(running).toBe(3);

      wait.open();
      await advance(0);

      expect([running, most]).toEqual([0, 3]);
    });

    it('drops a job that is queued or running, and takes it again when it is done', async () => {
      const wait = gate();
      let runs = 0;
      queue.handle('sync', { ...OPTIONS, concurrency: 1 }, async () => {
        runs += 1;
        await wait.opened;
      });
      await queue.add([job('a'), job('a'), job('b')]);
      await advance(0);
      await queue.add([job('a'), job('b')]);
      wait.open();
      await advance(0);
      expect(runs).toBe(2);

      await queue.add([job('a')]);
      await advance(0);

      expect(runs).toBe(3);
    });
  });

  describe('retrying', () => {
    it('tries at once three times more, then lets the job rest before it is taken again', async () => {
      const attempts = failing('at-once');
      await queue.add([job('a')]);

      await advance(90 * SECOND);
      expect(attempts.get('a')).toBe(4);
      expect(said(events, 'a')).toEqual(['queued', 'started', 'retrying', 'started', 'retrying', 'started', 'retrying', 'started', 'gave-up']);
      await queue.add([job('a')]);
      await advance(0);
      expect(events).toHaveLength(9);

      await advance(100 * SECOND);
      await queue.add([job('a')]);
      await advance(0);
      expect(said(events.slice(9), 'a')).toEqual(['queued', 'started', 'retrying']);
    });

    it('waits between tries, by chance shorter or longer', async () => {
      const started: number[] = [];
      queue.handle('sync', OPTIONS, async () => {
        started.push(now());
        throw new JobError('at-once', 'fails');
      });
      await queue.add([job('a')]);

      await advance(60 * SECOND);

      const waits = started.slice(1).map((at, n) => at - (started[n] ?? 0));
      expect(waits).toHaveLength(3);
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(5 * SECOND);
      expect(Math.max(...waits)).toBeLessThanOrEqual(15 * SECOND + lagMs);
      expect(new Set(waits).size).toBeGreaterThan(1);
    });

    it('counts any other error as one to be retried at once', async () => {
      const attempts = counting(async (attempt) => {
        if (attempt === 1) throw new TypeError('a mistake of ours');
      });
      await queue.add([job('a')]);

      await advance(20 * SECOND);

      expect(attempts.get('a')).toBe(2);
      expect(events.find(({ type }) => type === 'retrying')).toMatchObject({ error: { message: 'a mistake of ours' } });
      expect(said(events, 'a').at(-1)).toBe('done');
    });

    it('tries later twice, and does not take the job meanwhile', async () => {
      const attempts = failing('later');
      await queue.add([job('a')]);
      await advance(50 * SECOND);
      await queue.add([job('a')]);
      expect(attempts.get('a')).toBe(1);

      await advance(15 * SECOND);
      expect(attempts.get('a')).toBe(2);
      await advance(130 * SECOND);
      expect(attempts.get('a')).toBe(2);
      await advance(30 * SECOND);

      expect(attempts.get('a')).toBe(3);
      expect(said(events, 'a').at(-1)).toBe('gave-up');
    });

    it('gives up what only a change can mend, for as long as it is told', async () => {
      const attempts = failing('never');
      await queue.add([job('a')]);
      await advance(0);
      expect(said(events, 'a')).toEqual(['queued', 'started', 'gave-up']);

      await advance(180 * SECOND);
      await queue.add([job('a')]);
      await advance(0);
      expect(said(events, 'a')).toHaveLength(3);
      await advance(25 * SECOND);
      await queue.add([job('a')]);
      await advance(0);

      expect(said(events, 'a')).toHaveLength(6);
      expect(attempts.size).toBe(1);
    });

    it('lets others pass while a job waits', async () => {
      let first = true;
      queue.handle('sync', { ...OPTIONS, concurrency: 1 }, async ({ id }) => {
        if (id !== 'a' || !first) return;
        first = false;
        throw new JobError('at-once', 'once');
      });
      await queue.add([job('a'), job('b'), job('c')]);

      await advance(20 * SECOND);

      expect(events.filter(({ type }) => type === 'done').map((event) => event.job.id)).toEqual(['b', 'c', 'a']);
    });
  });

  describe('a handler that hangs', () => {
    it('is told, loses its place, and delays nobody else', async () => {
      let signal: AbortSignal | undefined;
      queue.handle('sync', { ...OPTIONS, concurrency: 1 }, async ({ id }, context) => {
        if (id !== 'stuck') return;
        signal = context.signal;
        await gate().opened;
      });
      await queue.add([job('stuck'), job('next')]);
      await advance(50 * SECOND);
      expect(said(events, 'next')).toEqual(['queued']);
      expect(signal?.aborted).toBe(false);

      await advance(12 * SECOND);

      expect(signal?.aborted).toBe(true);
      expect(said(events, 'next')).toEqual(['queued', 'started', 'done']);
      expect(said(events, 'stuck')).toEqual(['queued', 'started', 'retrying']);
    });

    it('is not run a second time before it has returned', async () => {
      const wait = gate();
      let runs = 0;
      queue.handle('sync', OPTIONS, async () => {
        runs += 1;
        if (runs === 1) await wait.opened;
      });
      await queue.add([job('stuck')]);
      await advance(150 * SECOND);
      expect(runs).toBe(1);

      wait.open();
      await advance(0);

      expect(runs).toBe(2);
      expect(said(events, 'stuck').at(-1)).toBe('done');
    });
  });

  describe('idle', () => {
    async function isIdle(): Promise<boolean> {
      let idle = false;
      const waiting = queue.idle().then(() => {
        idle = true;
      });
      for (let looks = 0; looks < 4 && !idle; looks += 1) await advance(lagMs / 4);
      void waiting;
      return idle;
    }

    it('is a queue with nothing to do', async () => {
      expect(await isIdle()).toBe(true);
    });

    it('is not one that has a job queued, running or to be retried at once', async () => {
      const wait = gate();
      await queue.add([job('a')]);
      expect(await isIdle()).toBe(false);
      let tries = 0;
      queue.handle('sync', { ...OPTIONS, timeoutMs: 600 * SECOND }, async () => {
        tries += 1;
        if (tries === 1) throw new Error('once');
        await wait.opened;
      });
      await advance(0);
      expect(await isIdle()).toBe(false);
      await advance(20 * SECOND);
      expect([tries, await isIdle()]).toEqual([2, false]);

      wait.open();
      await advance(0);

      expect(await isIdle()).toBe(true);
    });

    it('is one whose jobs wait for later, or gave up', async () => {
      const retries = new Map([
        ['a', 'later'],
        ['b', 'never'],
      ] as const);
      queue.handle('sync', OPTIONS, ({ id }) => Promise.reject(new JobError(retries.get(id === 'a' ? 'a' : 'b') ?? 'never', id)));
      await queue.add([job('a'), job('b')]);
      await advance(0);

      expect(await isIdle()).toBe(true);
    });
  });

  describe('stopping', () => {
    it('aborts what runs, waits for it, and starts nothing more', async () => {
      let returned = false;
      queue.handle('sync', { ...OPTIONS, concurrency: 1 }, (_, { signal }) => {
        const { promise, reject } = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => {
          setImmediate(() => {
            returned = true;
            reject(signal.reason);
          });
        });
        return promise;
      });
      await queue.add([job('a'), job('b')]);
      await advance(0);

      await queue.stop();

      expect(returned).toBe(true);
      await queue.add([job('c')]);
      await advance(20 * SECOND);
      expect(events.map(({ type }) => type)).toEqual(['queued', 'queued', 'started']);
      await queue.stop();
    });

    it('forgets what waits to be retried', async () => {
      const attempts = failing('later');
      await queue.add([job('a')]);
      await advance(0);

      await queue.stop();
      await advance(70 * SECOND);

      expect(attempts.get('a')).toBe(1);
      await queue.idle();
    });

    it('lets a listener go when it likes', async () => {
      const mine: string[] = [];
      const leave = queue.subscribe(({ type }) => mine.push(type));
      await queue.add([job('a')]);
      await advance(0);
      leave();
      counting(async () => undefined);

      await advance(0);

      expect(mine).toEqual(['queued']);
    });
  });
}
