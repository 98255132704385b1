import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { errorText } from './job-record.ts';
import { openRedisLinks } from './redis-links.ts';

export interface RedisProblem {
  /** `refused`: the queue can't work on it. `risky`: it works until it doesn't. */
  readonly severity: 'refused' | 'risky';
  /** One sentence that says what to do. */
  readonly text: string;
}

export interface RedisFindings {
  /** `redis 7.0.15`, `valkey 8.1.0`. */
  readonly server: string;
  readonly evictionPolicy: string;
  /** Undefined where the server doesn't say. What is kept over a restart is a convenience: the sweep finds it again. */
  readonly persistence: 'append-only-file' | 'snapshots' | 'none' | undefined;
  readonly scripts: 'work' | 'refused';
  readonly problems: readonly RedisProblem[];
}

/** BullMQ takes 5.0 and recommends this. */
const OLDEST = [6, 2] as const;

/** Looks at a Redis as a queue would use it. Throws QueueError `unreachable` when it doesn't answer. */
export async function probeRedis(url: string): Promise<RedisFindings> {
  const links = await openRedisLinks({ url, onNote: () => undefined });
  try {
    return await links.ask('probe', () => probe(links.asking));
  } finally {
    links.close();
  }
}

async function probe(redis: Redis): Promise<RedisFindings> {
  const info = readInfo(await redis.info());
  const isValkey = info.has('valkey_version');
  const version = info.get('valkey_version') ?? info.get('redis_version') ?? '0';
  const evictionPolicy = info.get('maxmemory_policy') ?? 'unknown';
  const refusal = await refusalOfScripts(redis);
  const problems: RedisProblem[] = [];
  const add = (severity: RedisProblem['severity'], text: string) => problems.push({ severity, text });
  if (!isValkey && isOlder(version)) add('risky', `Redis ${version} is older than ${OLDEST.join('.')}: update it`);
  if (evictionPolicy !== 'noeviction')
    add('risky', `maxmemory-policy is ${evictionPolicy}: under memory pressure jobs would vanish one by one; set it to noeviction`);
  if (info.get('role') === 'slave') add('refused', 'it is a read-only replica: name the primary');
  if (info.get('cluster_enabled') === '1') add('refused', 'it is one node of a cluster: name a server that holds all keys');
  if (refusal !== undefined) add('refused', `it runs no scripts, on which the queue depends (${refusal}): allow this user EVAL, EVALSHA and writing`);
  return {
    server: `${isValkey ? 'valkey' : 'redis'} ${version}`,
    evictionPolicy,
    persistence: await persistenceOf(redis, info),
    scripts: refusal === undefined ? 'work' : 'refused',
    problems,
  };
}

/** Sections of `field:value` lines. */
function readInfo(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const] : [])),
  );
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/** Some services take scripts but none that write. */
async function refusalOfScripts(redis: Redis): Promise<string | undefined> {
  const key = `granary:probe:${randomUUID()}`;
  try {
    const answer = await redis.eval("redis.call('set', KEYS[1], ARGV[1], 'PX', 1000) return redis.call('get', KEYS[1])", 1, key, 'written');
    return answer === 'written' ? undefined : 'a script did not read what it wrote';
  } catch (error) {
    return errorText(error);
  }
}

async function persistenceOf(redis: Redis, info: ReadonlyMap<string, string>): Promise<RedisFindings['persistence']> {
  if (info.get('aof_enabled') === '1') return 'append-only-file';
  try {
    const answer = await redis.config('GET', 'save');
    const save = Array.isArray(answer) ? answer[1] : undefined;
    return save === undefined ? undefined : save === '' ? 'none' : 'snapshots';
  } catch {
    // Services run by others often forbid CONFIG.
    return undefined;
  }
}
