import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, type RedisServer, startPostgres, startRedis, startVersitygw, type VersitygwServer } from '@granary/services';
import { type Service, startService } from './service.ts';
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
  /** Added to the commands: `{ scheduler: ['--once', '--json'] }`. */
  readonly more?: Readonly<Partial<Record<RoleName, readonly string[]>>>;
  readonly onLine: (name: string, line: string) => void;
}
/** As the command line names them. */
export type RoleName = 'sequencer' | 'serve' | 'worker' | 'scheduler';
export interface Services extends AsyncDisposable {
  readonly redis: Service<RedisServer>;
  readonly postgres: Service<PostgresServer>;
  readonly s3: Service<VersitygwServer>;
  /** What a `granary` of this deployment gets, beside the rest of the environment. */
  readonly environment: Readonly<Record<string, string>>;
}
export interface Deployment extends Services {
  readonly sequencer: Process;
  readonly scheduler: Process;
  readonly workers: readonly Process[];
  readonly nodes: readonly Process[];
  /** One more process. Its data folder has its name. */
  start(name: string, role: RoleName): Process;
}

const BUCKETS = { publicBucket: 'granary-public', privateBucket: 'granary-private' };
const READY_MS = 120_000;

/** Starts services and roles, in the order in which they need one another. Disposing ends them the other way round. */
export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { folder, workers, nodePorts } = options;
  await using stack = new AsyncDisposableStack();
  const services = stack.use(await startServices(folder));
  const { environment } = services;
  const processes: Process[] = [];
  stack.defer(async () => {
    for (const process of processes.toReversed()) await process.stop();
  });
  const start = (name: string, role: RoleName, more: readonly string[] = []) => {
    const process = startRole({ ...options, environment }, { name, role, more });
    processes.push(process);
    return process;
  };
  const sequencer = start('sequencer', 'sequencer');
  // Nodes have nothing to serve before.
  await untilThere(join(folder, 'keys', 'granary.pub'));
  const nodes = nodePorts.map((port, index) => start(`node ${index + 1}`, 'serve', ['--listen', `127.0.0.1:${port}`]));
  const made = Array.from({ length: workers }, (_, index) => start(`worker ${index + 1}`, 'worker'));
  const scheduler = start('scheduler', 'scheduler');
  const owned = stack.move();
  return { ...services, sequencer, scheduler, workers: made, nodes, start, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What a deployment leans on, without its roles: for those who ask a deployment that was stopped. */
export async function startServices(folder: string): Promise<Services> {
  await mkdir(folder, { recursive: true });
  await using stack = new AsyncDisposableStack();
  const at = (name: string, port: number | undefined) => ({ folder: join(folder, name), ...(port === undefined ? {} : { port }) });
  const redis = stack.use(await startService((port) => startRedis({ ...at('redis', port), settings: { appendonly: 'yes' } })));
  const postgres = stack.use(await startService((port) => startPostgres(at('postgres', port))));
  const s3 = stack.use(await startService((port) => startVersitygw({ ...at('s3', port), buckets: Object.values(BUCKETS) })));
  const environment = environmentOf({ redis: redis.server, postgres: postgres.server, s3: s3.server }, join(folder, 'keys'));
  const owned = stack.move();
  return { redis, postgres, s3, environment, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Servers {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly s3: VersitygwServer;
}

function environmentOf({ redis, postgres, s3 }: Servers, keys: string): Readonly<Record<string, string>> {
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
  readonly role: RoleName;
  readonly more: readonly string[];
}

function startRole(options: DeploymentOptions & Pick<Deployment, 'environment'>, { name, role, more }: Role): Process {
  const { folder, config, granary, environment, onLine } = options;
  const data = join(folder, name.replaceAll(' ', '-'));
  return supervise({
    name,
    argv: [...granary, role, '--config', config, '--data', data, ...more, ...(options.more?.[role] ?? [])],
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
