import type { SharedBudget } from '@granary/contract/ports';
import { Redis } from 'ioredis';
import { PAUSE, TAKE } from './take-script.ts';

export interface RedisBudgetOptions {
  readonly url: string;
  /** Sites that share a Redis differ in it. */
  readonly prefix?: string;
  /** Of all processes together, per host. */
  readonly requestsPerSecond: number;
  /** How many may go at once after a quiet time. */
  readonly burst: number;
  /** Told once that Redis is gone, and once that it is back. */
  readonly onNote: (text: string) => void;
}

/** Nobody's request waits longer for a Redis that doesn't answer. */
const PATIENCE_MS = 1000;
const LONGEST_RETRY_MS = 2000;
/** Nobody waits again for one that hangs before this is over. */
const GONE_MS = 2000;

/** What all processes that name the same Redis and prefix ask of a host together. While Redis is gone each goes on by its own budget. */
export function openRedisBudget(options: RedisBudgetOptions): SharedBudget & AsyncDisposable {
  const redis = new Redis(options.url, {
    // An answer that comes late is worth nothing.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    commandTimeout: PATIENCE_MS,
    connectTimeout: 5000,
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(times * 100, LONGEST_RETRY_MS),
    connectionName: 'granary-budget',
  });
  // What fails is noted where it is asked for.
  redis.on('error', () => undefined);
  const { prefix = 'granary', requestsPerSecond, burst } = options;
  const ask = asker(redis, options);
  const keyOf = (host: string) => `${prefix}:budget:${host}`;
  return {
    take: async (host) => Number(await ask((link) => link.eval(TAKE, 1, keyOf(host), requestsPerSecond, burst))),
    async pause(host, milliseconds) {
      await ask((link) => link.eval(PAUSE, 1, keyOf(host), Math.ceil(milliseconds)));
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

/** Asks Redis, or answers 0 when it can't be asked. */
function asker(redis: Redis, { url, onNote }: RedisBudgetOptions): (question: (link: Redis) => Promise<unknown>) => Promise<unknown> {
  const server = URL.parse(url)?.host ?? 'redis';
  let isGone = false;
  let askAgainAt = 0;
  return async (question) => {
    if (performance.now() < askAgainAt) return 0;
    try {
      // Only the first who ask wait for the connection to be made.
      if (redis.status !== 'ready' && !isGone) await firstReady(redis);
      const answer = await question(redis);
      if (isGone) onNote(`${server} is back: upstreams are asked by one budget again`);
      isGone = false;
      return answer;
    } catch (error) {
      if (!isGone && redis.status !== 'end')
        onNote(`${server} keeps no budget (${error instanceof Error ? error.message : String(error)}): until it does, each process asks upstreams by its own`);
      isGone = true;
      askAgainAt = performance.now() + GONE_MS;
      return 0;
    }
  };
}

async function firstReady(redis: Redis): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`no answer for ${PATIENCE_MS} ms`)), PATIENCE_MS);
  redis.once('ready', resolve);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    redis.off('ready', resolve);
  }
}
