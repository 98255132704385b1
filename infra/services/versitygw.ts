import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { bringGoTool, type GoTool, goToolMissing, isGoToolBuilt } from './go-tool.ts';
import { ServiceError } from './service-error.ts';

export interface VersitygwOptions {
  /** Holds the buckets and the keys, and is made when missing. Its file system must have extended attributes. */
  readonly folder: string;
  /** Made when missing. */
  readonly buckets?: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
}
export interface VersitygwServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Lets requests under way end, and waits. */
  stop(): Promise<void>;
  /** SIGKILL, and waits. */
  kill(): Promise<void>;
}

const VERSITYGW: GoTool = { package: 'github.com/versity/versitygw/cmd/versitygw', version: 'v1.8.0' };
const REGION = 'eu-central-1';
const START_TIMEOUT_MS = 60_000;

/** Why no S3 service can be started here; undefined when one can. */
export function versitygwMissing(): string | undefined {
  return goToolMissing(VERSITYGW);
}

/** Whether it can be started at once. */
export function versitygwBuilt(): boolean {
  return isGoToolBuilt(VERSITYGW);
}

/** Starts an S3 service over a folder, on loopback; builds it with Go the first time, which takes a few minutes. Throws ServiceError. */
export async function startVersitygw({ folder, buckets = [], port }: VersitygwOptions): Promise<VersitygwServer> {
  const program = await bringGoTool(VERSITYGW);
  const root = resolve(folder);
  const data = join(root, 'buckets');
  // A bucket is a folder below the root.
  for (const path of [data, ...buckets.map((bucket) => join(data, bucket))]) await mkdir(path, { recursive: true });
  const keys = await ensureKeys(root);
  const listen = port ?? (await freePort());
  const options = ['--port', `127.0.0.1:${listen}`, '--region', REGION, '--keep-alive', '--quiet'];
  const child = spawn(program, [...options, 'posix', data], {
    cwd: root,
    // Away from the terminal: Ctrl-C is for whoever started it, who stops it in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ROOT_ACCESS_KEY: keys.accessKey, ROOT_SECRET_KEY: keys.secretKey },
  });
  await untilListening(child, listen);
  return {
    ...keys,
    endpoint: `http://127.0.0.1:${listen}`,
    port: listen,
    region: REGION,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
    [Symbol.asyncDispose]: () => end(child, 'SIGTERM'),
  };
}

/** Made once for the folder. */
async function ensureKeys(folder: string): Promise<{ readonly accessKey: string; readonly secretKey: string }> {
  const file = join(folder, 'keys');
  const fresh = `${randomBytes(10).toString('hex')} ${randomBytes(20).toString('hex')}\n`;
  await writeFile(file, fresh, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const [accessKey = '', secretKey = ''] = (await readFile(file, 'utf8')).trim().split(' ');
  return { accessKey, secretKey };
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  let said = '';
  // Read on after the start as well: a pipe that fills up stops the server.
  child.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-16_384);
  });
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  const until = performance.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    const why = failed !== undefined || hasEnded(child) ? 'ended' : performance.now() > until ? 'was not ready in time' : undefined;
    if (why !== undefined) {
      child.kill('SIGKILL');
      throw new ServiceError('ended', `versitygw ${why}: ${said.trim().slice(-2000)}`, { cause: failed });
    }
    await sleep(20);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
