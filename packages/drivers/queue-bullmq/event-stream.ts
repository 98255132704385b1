import { setTimeout as sleep } from 'node:timers/promises';
import type { JobEvent } from '@granary/contract/ports';
import type { Redis } from 'ioredis';
import { decodeEvent, encodeEvent } from './event-record.ts';
import type { RedisLinks } from './redis-links.ts';

/** Who is further behind than so many events has lost some; a sweep tells him the rest. */
const MAX_EVENTS = 20_000;
const PAGE = 500;
const BLOCK_MS = 2000;
const RETRY_MS = 500;
const FIELD = 'event';
const START = '0-0';

interface Subscription {
  readonly listener: (event: JobEvent) => void;
  /** What happened while it was told what was before. */
  held: JobEvent[] | undefined;
  readonly told: Promise<void>;
}

/** One stream for the jobs of all stages and all processes; read only where somebody listens. */
export class EventStream {
  readonly #links: RedisLinks;
  readonly #key: string;
  readonly #before: () => Promise<readonly JobEvent[]>;
  readonly #subscriptions = new Set<Subscription>();
  readonly #stopping = new AbortController();
  #started: Promise<void> | undefined;
  #position = START;
  #moved = Promise.withResolvers<void>();

  /** `before` is what each listener is told first. */
  constructor(links: RedisLinks, key: string, before: () => Promise<readonly JobEvent[]>) {
    this.#links = links;
    this.#key = key;
    this.#before = before;
  }

  /** From a worker: said once Redis is there. */
  async append(event: JobEvent): Promise<void> {
    await append(this.#links.working, this.#key, event);
  }

  /** From whoever asks: said now or not at all. */
  async announce(events: readonly JobEvent[]): Promise<void> {
    const pipeline = this.#links.asking.pipeline();
    for (const event of events) pipeline.xadd(this.#key, 'MAXLEN', '~', MAX_EVENTS, '*', FIELD, encodeEvent(event));
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }

  subscribe(listener: (event: JobEvent) => void): () => void {
    const { promise: told, resolve } = Promise.withResolvers<void>();
    const subscription: Subscription = { listener, held: [], told };
    this.#subscriptions.add(subscription);
    void this.#tell(subscription).finally(resolve);
    return () => this.#subscriptions.delete(subscription);
  }

  /** Resolves when all who listen know what was before. */
  async told(): Promise<void> {
    for (const { told } of this.#subscriptions) await told;
  }

  /** Resolves when all who listen were told what had happened at the call. */
  async caughtUp(): Promise<void> {
    if (this.#subscriptions.size === 0) return;
    await this.told();
    const last = await lastOf(this.#links.asking, this.#key);
    while (!this.#stopping.signal.aborted && isBefore(this.#position, last)) await this.#moved.promise;
  }

  stop(): void {
    this.#stopping.abort();
    this.#subscriptions.clear();
    this.#moved.resolve();
  }

  async #tell(subscription: Subscription): Promise<void> {
    const before = await this.#patiently(async () => {
      this.#started ??= this.#start();
      await this.#started;
      return await this.#before();
    });
    const held = subscription.held ?? [];
    subscription.held = undefined;
    for (const event of [...(before ?? []), ...held]) if (this.#subscriptions.has(subscription)) subscription.listener(event);
  }

  async #start(): Promise<void> {
    this.#position = (await this.#patiently(() => lastOf(this.#links.reading, this.#key))) ?? START;
    void this.#read();
  }

  async #read(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const entries = await this.#patiently(() => this.#next());
      for (const [id, fields] of entries ?? []) {
        this.#position = id;
        const event = decodeEvent(fields[1]);
        if (event !== undefined) this.#emit(event);
      }
      this.#moved.resolve();
      this.#moved = Promise.withResolvers();
    }
  }

  async #next(): Promise<readonly (readonly [string, readonly string[]])[]> {
    const streams = await this.#links.reading.xread('COUNT', PAGE, 'BLOCK', BLOCK_MS, 'STREAMS', this.#key, this.#position);
    const [, entries] = streams?.[0] ?? [];
    if (entries !== undefined && entries.length > 0) return entries.map(([id, fields]) => [id, fields ?? []] as const);
    // An emptied Redis whose clock is behind begins before where we stand: then all of it is new.
    const last = await lastOf(this.#links.reading, this.#key);
    if (isBefore(last, this.#position)) this.#position = START;
    return [];
  }

  #emit(event: JobEvent): void {
    for (const { held, listener } of this.#subscriptions) {
      if (held === undefined) listener(event);
      else held.push(event);
    }
  }

  /** Again until it works; undefined when stopped. */
  async #patiently<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.#stopping.signal.aborted) {
      try {
        return await work();
      } catch {
        // Whoever notes that Redis is gone does so once, elsewhere.
        await sleep(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
    return undefined;
  }
}

async function append(link: Redis, key: string, event: JobEvent): Promise<void> {
  await link.xadd(key, 'MAXLEN', '~', MAX_EVENTS, '*', FIELD, encodeEvent(event));
}

async function lastOf(link: Redis, key: string): Promise<string> {
  const [last] = await link.xrevrange(key, '+', '-', 'COUNT', 1);
  return last?.[0] ?? START;
}

/** Ids of a stream are `<milliseconds>-<number>`. */
function isBefore(a: string, b: string): boolean {
  const [aMs = 0, aNumber = 0] = a.split('-').map(Number);
  const [bMs = 0, bNumber = 0] = b.split('-').map(Number);
  return aMs === bMs ? aNumber < bNumber : aMs < bMs;
}
