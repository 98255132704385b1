import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, HandleOptions, Job, JobEvent, Queue, RetryTimes, Stage } from '@granary/contract/ports';
import { DEFAULT_RETRY_TIMES } from '@granary/contract/work';
import { EventStream } from './event-stream.ts';
import { type QueueKeys, queueKeys } from './queue-keys.ts';
import { openRedisLinks, type RedisLinks } from './redis-links.ts';
import { StageQueues } from './stage-queues.ts';
import { type Handler, StageWorker, type StallTimes } from './stage-worker.ts';

export interface BullQueueOptions {
  /** `redis://user:password@host:port/db`, or `rediss://`. */
  readonly url: string;
  /** Sites that share a Redis differ in it. */
  readonly prefix?: string;
  readonly clock: Clock;
  /** Told once that Redis is gone, and once that it is back; and of each fault of a worker. */
  readonly onNote: (text: string) => void;
  readonly times?: RetryTimes;
  readonly stall?: StallTimes;
}

/** A dead worker's jobs are taken over within about 15 seconds. */
const DEFAULT_STALL: StallTimes = { lockMs: 10_000, checkMs: 3000 };
const LOOK_MS = 200;
/** Between the two looks that must both find nothing: a job that moves may be missed by one. */
const SECOND_LOOK_MS = 20;

/** A queue in Redis that any number of processes add to, watch and work on. Throws QueueError when Redis doesn't answer. */
export async function openBullQueue(options: BullQueueOptions): Promise<Queue & AsyncDisposable> {
  const links = await openRedisLinks(options);
  return new BullQueue(links, options);
}

class BullQueue implements Queue, AsyncDisposable {
  readonly #links: RedisLinks;
  readonly #options: BullQueueOptions;
  readonly #keys: QueueKeys;
  readonly #queues: StageQueues;
  readonly #events: EventStream;
  readonly #workers = new Map<Stage, StageWorker>();
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;

  constructor(links: RedisLinks, options: BullQueueOptions) {
    this.#links = links;
    this.#options = options;
    this.#keys = queueKeys(options.prefix ?? 'granary');
    this.#queues = new StageQueues({ links, keys: this.#keys, clock: options.clock });
    this.#events = new EventStream(links, this.#keys.events, () => this.#queues.before());
  }

  async add(jobs: readonly Job[]): Promise<void> {
    if (this.#isStopped || jobs.length === 0) return;
    // Who listens in this process is told of what was before, and then of these.
    await this.#links.ask('read what happened before', () => this.#events.told());
    await this.#queues.add(jobs, (fresh) => this.#events.announce(fresh.map((job) => ({ type: 'queued', job }))));
  }

  handle(stage: Stage, options: HandleOptions, handler: Handler): void {
    if (this.#isStopped) return;
    const handling = { ...options, handler };
    const worker = this.#workers.get(stage);
    if (worker !== undefined) {
      worker.handle(handling);
      return;
    }
    const { clock, times = DEFAULT_RETRY_TIMES, stall = DEFAULT_STALL, onNote } = this.#options;
    const append = (event: JobEvent) => this.#events.append(event);
    const promote = (of: Stage, key: string) => this.#queues.promote(of, key);
    this.#workers.set(stage, new StageWorker(stage, handling, { links: this.#links, keys: this.#keys, clock, times, stall, append, promote, onNote }));
  }

  async idle(): Promise<void> {
    while (!this.#isStopped) {
      if (await this.#looksIdle()) return;
      await sleep(LOOK_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  subscribe(listener: (event: JobEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #looksIdle(): Promise<boolean> {
    try {
      if (!(await this.#queues.isIdle())) return false;
      await sleep(SECOND_LOOK_MS);
      if (!(await this.#queues.isIdle())) return false;
      await this.#events.caughtUp();
      return true;
    } catch {
      // Redis is gone: what it held will be found again, so there is something to do.
      return false;
    }
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    this.#events.stop();
    await this.#queues.close();
    this.#links.close();
  }
}
