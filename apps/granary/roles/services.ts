import { join } from 'node:path';
import { type Config, ConfigError, type S3Place } from '@granary/config';
import type { Clock, LockBackend, Queue, SharedBudget, Store } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';
import { openRedisBudget } from '@granary/driver-budget-redis';
import { openPostgresLock } from '@granary/driver-lock-postgres';
import { openSqliteLock } from '@granary/driver-lock-sqlite';
import { openBullQueue } from '@granary/driver-queue-bullmq';
import { openMemoryQueue } from '@granary/driver-queue-memory';
import { openFsStore } from '@granary/driver-store-fs';
import { openS3Lock, openS3Store, type S3Service } from '@granary/driver-store-s3';
import type { Redirects } from '@granary/stage-serve';
import { dataPaths } from './data-paths.ts';

/** The archive: what anybody may read, and what nobody else may. */
export interface Stores extends AsyncDisposable {
  readonly publicStore: Store;
  readonly privateStore: Store;
}
/** One side of the archive. */
export interface OpenStore extends AsyncDisposable {
  readonly store: Store;
  /** For whoever answers clients: where they get large files themselves. */
  readonly redirects: Redirects | undefined;
}

const REDIRECT_SECONDS = 300;

/** Opens the stores that the configuration names. */
export async function openStores(config: Config): Promise<Stores> {
  await using stack = new AsyncDisposableStack();
  const { store: publicStore } = stack.use(await openStore(config, 'public'));
  const { store: privateStore } = stack.use(await openStore(config, 'private'));
  const owned = stack.move();
  return { publicStore, privateStore, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Opens one side alone: a node that clients reach has no business with the other, and may have no access to it. */
export async function openStore(config: Config, side: 'public' | 'private'): Promise<OpenStore> {
  const { store } = config;
  if (store.type === 'folder') {
    const folder = await openFsStore(join(store.path, side));
    return { store: folder, redirects: undefined, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  }
  const bucket = await openS3Store({ ...s3ServiceOf(store, side), writeOnce: store.writeOnce, scratchDir: dataPaths(config).spool });
  const { redirectFromBytes: fromBytes } = store;
  const addressOf = (digest: Sha256) => bucket.presignedUrl(digest, REDIRECT_SECONDS);
  return {
    store: bucket,
    redirects: fromBytes === undefined ? undefined : { fromBytes, addressOf },
    [Symbol.asyncDispose]: () => bucket[Symbol.asyncDispose](),
  };
}

/** The bucket of one side. */
export function s3ServiceOf({ endpoint, region, accessKey, secretKey, ...buckets }: S3Place, side: 'public' | 'private'): S3Service {
  return { endpoint, region, accessKey, secretKey, bucket: side === 'public' ? buckets.publicBucket : buckets.privateBucket };
}

/** Opens what decides who writes the ledgers. Throws ConfigError where nothing safe is configured. */
export async function openLock({ store, lock }: Config, note: (text: string) => void): Promise<LockBackend & AsyncDisposable> {
  switch (lock.type) {
    case 'sqlite': {
      const sqlite = openSqliteLock({ file: lock.file });
      return { ...sqlite, [Symbol.asyncDispose]: async () => sqlite.close() };
    }
    case 'postgres':
      return await openPostgresLock({ url: lock.url, onNote: note });
    case 's3': {
      if (store.type !== 's3') throw new ConfigError('lock.s3: the store is a folder');
      const s3 = await openS3Lock(s3ServiceOf(store, 'private'));
      return { ...s3, [Symbol.asyncDispose]: async () => s3.close() };
    }
    case 'none':
      throw new ConfigError(`the ledgers can't be written: ${lock.why}`);
  }
}

interface QueueParts {
  readonly clock: Clock;
  readonly note: (text: string) => void;
}

/** Opens what hands out jobs: in this process, unless the configuration names one that processes share. */
export async function openQueue(config: Config, parts: QueueParts): Promise<Queue & AsyncDisposable> {
  if (config.queue.type === 'redis') return await openSharedQueue(config, parts);
  const queue = openMemoryQueue({ clock: parts.clock });
  return Object.assign(queue, { [Symbol.asyncDispose]: () => queue.stop() });
}

/** As {@link openQueue}, for a process that is of no use alone. Throws ConfigError when the queue is one process's own. */
export async function openSharedQueue({ queue }: Config, { clock, note }: QueueParts): Promise<Queue & AsyncDisposable> {
  if (queue.type === 'process')
    throw new ConfigError('jobs come from another process: name the queue that both have, queue: {redis: {url: …}} in granary.yaml');
  return await openBullQueue({ url: queue.url, prefix: queue.prefix, clock, onNote: note });
}

interface BudgetParts {
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly note: (text: string) => void;
}

/** What all processes ask of an upstream together; undefined for a process that is alone. */
export function openSharedBudget({ queue }: Config, { note, ...rate }: BudgetParts): (SharedBudget & AsyncDisposable) | undefined {
  return queue.type === 'redis' ? openRedisBudget({ url: queue.url, prefix: queue.prefix, onNote: note, ...rate }) : undefined;
}
