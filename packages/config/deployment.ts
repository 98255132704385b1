import { join, resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './schema.ts';

/** Which services keep the archive, decide who writes the ledgers, and hand out jobs; with their secrets. */
export interface Deployment {
  readonly store: StorePlace;
  readonly lock: LockPlace;
  readonly queue: QueuePlace;
}
/** The folders lie in `path`: the data folder, unless the configuration names one that several processes share. */
export type StorePlace = { readonly type: 'folder'; readonly path: string } | ({ readonly type: 's3' } & S3Place);
export interface S3Place {
  readonly endpoint: string;
  readonly region: string;
  readonly publicBucket: string;
  readonly privateBucket: string;
  readonly redirectFromBytes?: number | undefined;
  readonly writeOnce: 'conditional-put' | 'check-then-put';
  readonly accessKey: string;
  readonly secretKey: string;
}
export type LockPlace =
  | { readonly type: 'sqlite'; readonly file: string }
  | { readonly type: 'postgres'; readonly url: string }
  | { readonly type: 's3' }
  /** Whoever wants to write a ledger is told `why` not. */
  | { readonly type: 'none'; readonly why: string };
export type QueuePlace = { readonly type: 'process' } | { readonly type: 'redis'; readonly url: string; readonly prefix: string };

interface Place {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder of the configuration file. */
  readonly base: string;
  readonly dataDir: string;
  readonly placeOf: (path: readonly PropertyKey[]) => string;
}
type Section = Pick<ConfigFile, 'store' | 'lock' | 'queue'>;

/** Addresses and secrets from the environment go before those in the file. Throws ConfigError for what is missing. */
export function readDeployment({ store, lock, queue }: Section, place: Place): Deployment {
  const storePlace = readStore(store, place);
  return { store: storePlace, lock: readLock(lock, storePlace, place), queue: readQueue(queue, place) };
}

function readStore(store: Section['store'], place: Place): StorePlace {
  if (store === undefined) return { type: 'folder', path: place.dataDir };
  if ('folder' in store) return { type: 'folder', path: resolve(place.base, store.folder) };
  const secret = (name: string) => fromEnvironment(place, name, ['store', 's3']);
  return { type: 's3', ...store.s3, accessKey: secret('AWS_ACCESS_KEY_ID'), secretKey: secret('AWS_SECRET_ACCESS_KEY') };
}

function readLock(lock: Section['lock'], store: StorePlace, place: Place): LockPlace {
  if (lock === undefined && store.type === 'folder') return { type: 'sqlite', file: join(store.path, 'ledger-heads.sqlite') };
  const choices = 'name one that decides for all machines: lock: {postgres: {}}, or lock: {s3: {}} where granary doctor finds the service safe';
  if (lock === undefined) return { type: 'none', why: `the ledgers lie in S3, and no lock is configured; ${choices}` };
  if ('postgres' in lock) {
    const url = place.environment['GRANARY_POSTGRES_URL'] ?? lock.postgres.url;
    if (url === undefined)
      throw new ConfigError(`${place.placeOf(['lock', 'postgres'])}: lock.postgres: expected a url, or GRANARY_POSTGRES_URL in the environment`);
    return { type: 'postgres', url };
  }
  if ('s3' in lock) {
    if (store.type !== 's3')
      throw new ConfigError(`${place.placeOf(['lock', 's3'])}: lock.s3: the store is a folder, whose lock is SQLite; take this line out`);
    return { type: 's3' };
  }
  if (store.type === 's3')
    throw new ConfigError(`${place.placeOf(['lock', 'sqlite'])}: lock.sqlite: the ledgers lie in S3, where a file of one machine guards nothing; ${choices}`);
  return { type: 'sqlite', file: join(store.path, 'ledger-heads.sqlite') };
}

function readQueue(queue: Section['queue'], place: Place): QueuePlace {
  if (queue === undefined) return { type: 'process' };
  const url = place.environment['GRANARY_REDIS_URL'] ?? queue.redis.url;
  if (url === undefined) throw new ConfigError(`${place.placeOf(['queue', 'redis'])}: queue.redis: expected a url, or GRANARY_REDIS_URL in the environment`);
  return { type: 'redis', url, prefix: queue.redis.prefix };
}

function fromEnvironment({ environment, placeOf }: Place, name: string, path: readonly PropertyKey[]): string {
  const value = environment[name];
  if (value === undefined || value === '') throw new ConfigError(`${placeOf(path)}: ${path.join('.')}: expected ${name} in the environment`);
  return value;
}
