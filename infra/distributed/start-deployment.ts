import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, type RedisServer, startPostgres, startRedis, startVersitygw, type VersitygwServer } from '@granary/services';
import { type Process, supervise } from './supervise.ts';

export interface DeploymentOptions {
  /** Services, keys and the data folders of all processes lie below it; made when missing. */
  readonly folder: string;
  /** granary.yaml. */
  readonly config: string;
  /** The command that a role is added to: `./granary`. */
  readonly granary: readonly [string, ...string[]];
  readonly workers: number;
  /** Ports of the API nodes on loopback. */
  readonly nodePorts: readonly number[];
  /** Added to the scheduler's command: `--once`, `--json`. */
  readonly schedulerArguments: readonly string[];
  readonly onLine: (name: string, line: string) => void;
}
export interface Deployment extends AsyncDisposable {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly s3: VersitygwServer;
  readonly sequencer: Process;
  readonly scheduler: Process;
  readonly workers: readonly Process[];
  readonly nodes: readonly Process[];
  /** What a `granary` of this deployment gets, beside the rest of the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

const BUCKETS = { publicBucket: 'granary-public', privateBucket: 'granary-private' };
const READY_MS = 120_000;

/** Starts services and roles, in the order in which they need one another. Disposing ends them the other way round. */
export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { folder, workers, nodePorts } = options;
  await mkdir(folder, { recursive: true });
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ folder: join(folder, 'redis'), settings: { appendonly: 'yes' } }));
  const postgres = stack.use(await startPostgres({ folder: join(folder, 'postgres') }));
  const s3 = stack.use(await startVersitygw({ folder: join(folder, 's3'), buckets: Object.values(BUCKETS) }));
  const environment = environmentOf({ redis, postgres, s3 }, join(folder, 'keys'));
  const start = (name: string, role: string, more: readonly string[] = []) => {
    const process = startRole({ ...options, environment }, { name, role, more });
    stack.defer(() => process.stop());
    return process;
  };
  const sequencer = start('sequencer', 'sequencer');
  // Nodes have nothing to serve before.
  await untilThere(join(folder, 'keys', 'granary.pub'));
  const nodes = nodePorts.map((port, at) => start(`node ${at + 1}`, 'serve', ['--listen', `127.0.0.1:${port}`]));
  const made = Array.from({ length: workers }, (_, at) => start(`worker ${at + 1}`, 'worker'));
  const scheduler = start('scheduler', 'scheduler', options.schedulerArguments);
  const owned = stack.move();
  return { redis, postgres, s3, sequencer, scheduler, workers: made, nodes, environment, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Services {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly s3: VersitygwServer;
}

function environmentOf({ redis, postgres, s3 }: Services, keys: string): Readonly<Record<string, string>> {
  return {
    GRANARY_KEYS: keys,
    GRANARY_STORE: JSON.stringify({ s3: { endpoint: s3.endpoint, region: s3.region, ...BUCKETS } }),
    AWS_ACCESS_KEY_ID: s3.accessKey,
    AWS_SECRET_ACCESS_KEY: s3.secretKey,
    GRANARY_LOCK: '{postgres: {}}',
    GRANARY_POSTGRES_URL: postgres.url,
    GRANARY_QUEUE: '{redis: {}}',
    GRANARY_REDIS_URL: redis.url,
  };
}

interface Role {
  /** Its data folder has the same name. */
  readonly name: string;
  readonly role: string;
  readonly more: readonly string[];
}

function startRole({ folder, config, granary, environment, onLine }: DeploymentOptions & Pick<Deployment, 'environment'>, { name, role, more }: Role): Process {
  return supervise({
    name,
    argv: [...granary, role, '--config', config, '--data', join(folder, name.replaceAll(' ', '-')), ...more],
    env: { ...process.env, ...environment },
    onLine: (line) => onLine(name, line),
  });
}

async function untilThere(file: string): Promise<void> {
  const until = performance.now() + READY_MS;
  while (!existsSync(file)) {
    if (performance.now() > until) throw new Error(`the sequencer made no ${file} within ${READY_MS / 1000} s; what it said stands above`);
    await sleep(100);
  }
}
