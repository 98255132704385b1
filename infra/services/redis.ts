import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.ts';
import { ServiceError } from './service-error.ts';

export interface RedisOptions {
  /** Holds the password, and the data if there is to be some; made when missing. */
  readonly folder: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Of redis.conf, such as `{ appendonly: 'yes' }`. Without any it keeps nothing over a restart, and evicts nothing. */
  readonly settings?: Readonly<Record<string, string>>;
}
export interface RedisServer extends AsyncDisposable {
  /** With password. */
  readonly url: string;
  readonly port: number;
  /** Ends in order: writes what it is set to keep. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const READY = 'Ready to accept connections';
/** What runs here is a copy of what can be found again. */
const DEFAULTS = { bind: '127.0.0.1', 'protected-mode': 'yes', save: '""', appendonly: 'no', 'maxmemory-policy': 'noeviction' };

/** Why no Redis can be started here; undefined when one can. */
export function redisMissing(): string | undefined {
  return findProgram() === undefined ? 'Redis is not installed: `apt-get install -y redis-server` brings it' : undefined;
}

/** Starts Debian's Redis (or Valkey) on loopback over a folder of its own. Throws ServiceError. */
export async function startRedis({ folder, port, settings = {} }: RedisOptions): Promise<RedisServer> {
  const program = findProgram();
  if (program === undefined) throw new ServiceError('missing', redisMissing() ?? '');
  await mkdir(folder, { recursive: true });
  const password = await ensurePassword(folder);
  const listen = port ?? (await freePort());
  const all = { ...DEFAULTS, port: String(listen), dir: JSON.stringify(folder), requirepass: password, ...settings };
  // The settings come by standard input: the password stands in no list of processes. Away from the terminal, for Ctrl-C is for whoever started it.
  const child = spawn(program, ['-'], { cwd: folder, detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: { LC_ALL: 'C' } });
  child.stdin.on('error', () => undefined);
  child.stdin.end(
    Object.entries(all)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(''),
  );
  await untilReady(child, folder);
  const end = (signal: 'SIGTERM' | 'SIGKILL') => () => ended(child, signal);
  return {
    url: `redis://default:${password}@127.0.0.1:${listen}`,
    port: listen,
    stop: end('SIGTERM'),
    kill: end('SIGKILL'),
    [Symbol.asyncDispose]: end('SIGTERM'),
  };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function untilReady(child: ChildProcess, folder: string): Promise<void> {
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    const refuse = (why: string) => () => reject(new ServiceError('ended', `Redis in ${folder} ${why}: ${said.trim().slice(-2000)}`));
    setTimeout(refuse('was not ready in time'), START_TIMEOUT_MS).unref();
    child.once('exit', refuse('ended'));
    child.once('error', refuse('could not be started'));
    for (const log of [child.stdout, child.stderr]) {
      log?.on('data', (chunk: Buffer) => {
        // Read on after the start as well: a pipe that fills up stops the server.
        said = `${said}${chunk}`.slice(-16_384);
        if (said.includes(READY)) resolve();
      });
    }
  });
  try {
    await ready;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Made once for a folder, so that a server started again is reached at the same address. */
async function ensurePassword(folder: string): Promise<string> {
  const file = join(folder, 'password');
  await writeFile(file, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return await readFile(file, 'utf8');
}

/** Debian keeps it in /usr/bin, others in /usr/sbin or /usr/local/bin; Valkey answers the same. */
function findProgram(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin', '/usr/sbin'];
  return ['redis-server', 'valkey-server'].flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
