import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { heartbeat } from './heartbeat.ts';
import { QueueError } from './queue-error.ts';

/** How long a caller is kept waiting for a Redis that doesn't answer. */
const PATIENCE_MS = 5000;
const LONGEST_RETRY_MS = 2000;
const RETRY_MS = 50;

/** The connections of one process to one Redis. All come back by themselves. */
export interface RedisLinks {
  /** For who waits for an answer: nothing is kept for later, and what was under way when the connection broke is rejected. */
  readonly asking: Redis;
  /** For workers: what they have to say waits until Redis is back. */
  readonly working: Redis;
  /** For reads that block. */
  readonly reading: Redis;
  /** Runs what asks once Redis is there, and again when the connection broke meanwhile. Throws QueueError when that takes too long, or when Redis refuses. */
  ask<T>(what: string, work: () => Promise<T>): Promise<T>;
  close(): void;
}

export interface RedisLinksOptions {
  readonly url: string;
  /** Told once that Redis is gone, and once that it is back. */
  readonly onNote: (text: string) => void;
}

const BASE: RedisOptions = {
  // What BullMQ demands: a command waits for its connection however long.
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(times * 100, LONGEST_RETRY_MS),
  connectTimeout: 5000,
  keepAlive: 10_000,
  connectionName: 'granary',
};

/** Resolves when Redis answers. Throws QueueError: `refused` when the password is wrong. */
export async function openRedisLinks({ url, onNote }: RedisLinksOptions): Promise<RedisLinks> {
  const asking = new Redis(url, { ...BASE, maxRetriesPerRequest: 0, enableOfflineQueue: false, autoResendUnfulfilledCommands: false });
  const working = new Redis(url, BASE);
  const reading = new Redis(url, BASE);
  const server = serverOf(url);
  const trouble = watch(asking, server, onNote);
  // Each says the same: one is listened to.
  for (const link of [working, reading]) link.on('error', () => undefined);
  const stops = [asking, working, reading].map(heartbeat);
  const close = () => {
    for (const stop of stops) stop();
    for (const link of [asking, working, reading]) link.disconnect();
  };
  const ask: RedisLinks['ask'] = async (what, work) => {
    const ending = new AbortController();
    const tooLate = () => new QueueError('unreachable', `${what}: ${server} did not answer for ${PATIENCE_MS / 1000} s${trouble()}`);
    try {
      return await within(untilAnswered(asking, work, ending.signal), tooLate);
    } catch (error) {
      if (error instanceof QueueError) throw error;
      throw new QueueError(isOfConnection(error) ? 'unreachable' : 'refused', `${what}: ${server}: ${messageOf(error)}`, { cause: error });
    } finally {
      ending.abort();
    }
  };
  try {
    await Promise.race([ask('connect', () => asking.ping()), refusal(asking, server)]);
  } catch (error) {
    close();
    throw error;
  }
  return { asking, working, reading, ask, close };
}

/** `redis.example:6379`: what may be printed of an address. */
function serverOf(url: string): string {
  return URL.parse(url)?.host ?? 'redis';
}

export function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z_]+$/.test(error.code)) return true;
  return /connection is closed|stream isn't writeable|connection is in closing state|max retries per request/i.test(error.message);
}

function watch(link: Redis, server: string, onNote: (text: string) => void): () => string {
  let state: 'new' | 'there' | 'gone' = 'new';
  let last: unknown;
  link.on('error', (error: unknown) => {
    last = error;
  });
  link.on('ready', () => {
    last = undefined;
    if (state === 'gone') onNote(`${server} is back`);
    state = 'there';
  });
  link.on('close', () => {
    // `end` is what closing on purpose looks like.
    if (state !== 'there' || link.status === 'end') return;
    state = 'gone';
    onNote(`${server} is gone; trying again until it is back`);
  });
  return () => (last === undefined ? '' : ` (${messageOf(last)})`);
}

/** A password that is wrong now is wrong in five seconds. Never resolves. */
async function refusal(link: Redis, server: string): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  link.on('error', (error: Error) => {
    if (/^(WRONGPASS|NOAUTH|NOPERM)/.test(error.message)) reject(new QueueError('refused', `connect: ${server}: ${error.message}`, { cause: error }));
  });
  return await promise;
}

async function untilAnswered<T>(link: Redis, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    await whenReady(link);
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isOfConnection(error) || link.status === 'end') throw error;
      await sleep(RETRY_MS);
    }
  }
}

async function whenReady(link: Redis): Promise<void> {
  while (link.status !== 'ready') {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const closed = () => reject(new Error('Connection is closed.'));
    if (link.status === 'end') closed();
    link.once('ready', resolve);
    link.once('end', closed);
    try {
      await promise;
    } finally {
      link.off('ready', resolve);
      link.off('end', closed);
    }
  }
}

/** The work's own outcome, or the error when that takes too long; what comes later of the work is nobody's. */
async function within<T>(work: Promise<T>, tooLate: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(tooLate()), PATIENCE_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
