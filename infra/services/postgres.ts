import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { ServiceError } from './service-error.ts';

export interface PostgresOptions {
  /** Holds the database and its password, and is made when missing. As root it is given to the user that the server runs as. */
  readonly folder: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Of postgresql.conf, such as `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}
export interface PostgresServer extends AsyncDisposable {
  /** With user, password and database. */
  readonly url: string;
  readonly port: number;
  /** Fast shutdown: rolls back what runs, and waits until everything is on disk. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until the processes that the server had are gone. */
  kill(): Promise<void>;
}
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const START_TIMEOUT_MS = 60_000;
/** A standby says `read-only connections`. */
const READY = /database system is ready to accept (read-only )?connections/;

/** Why no PostgreSQL can be started here; undefined when one can. */
export function postgresMissing(): string | undefined {
  return findPrograms() === undefined ? 'PostgreSQL is not installed: `apt-get install -y postgresql-15` brings it' : undefined;
}

/** Starts Debian's PostgreSQL over a folder of its own, on loopback. Throws ServiceError. */
export async function startPostgres({ folder, port, settings = {} }: PostgresOptions): Promise<PostgresServer> {
  const programs = findPrograms();
  if (programs === undefined) throw new ServiceError('missing', postgresMissing() ?? '');
  const owner = ownerOfServer();
  await mkdir(folder, { recursive: true });
  if (owner !== undefined) await giveTo(owner, folder);
  const password = await ensureDatabase({ programs, folder, owner });
  const listen = port ?? (await freePort());
  const all = { listen_addresses: '127.0.0.1', port: String(listen), unix_socket_directories: '', max_connections: '40', ...settings };
  const child = spawn(join(programs, 'postgres'), ['-D', join(folder, 'data'), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])], {
    ...owner,
    cwd: folder,
    // Away from the terminal: Ctrl-C is for whoever started it, who stops it in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { LC_ALL: 'C', PATH: programs },
  });
  await untilReady(child, folder);
  return serverOf(child, { port: listen, url: `postgresql://granary:${password}@127.0.0.1:${listen}/postgres` });
}

async function giveTo(owner: Owner, folder: string): Promise<void> {
  await chown(folder, owner.uid, owner.gid);
  await promisify(execFile)('test', ['-x', folder], { ...owner, cwd: '/' }).catch((cause: unknown) => {
    const message = `PostgreSQL doesn't run as root, and its user can't get to ${folder}: a folder above it is closed to others; choose another place, or open that one with chmod o+x`;
    throw new ServiceError('missing', message, { cause });
  });
}

function serverOf(child: ChildProcess, { port, url }: { readonly port: number; readonly url: string }): PostgresServer {
  const stop = async (): Promise<void> => {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  };
  const kill = async (): Promise<void> => {
    if (hasEnded(child)) return;
    const backends = await childrenOf(child.pid);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    // They end by themselves when the server is gone; a new one refuses the folder while any of them holds the shared memory.
    while (backends.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  return { url, port, stop, kill, [Symbol.asyncDispose]: stop };
}

async function untilReady(child: ChildProcess, folder: string): Promise<void> {
  let said = '';
  const log = child.stderr;
  if (log === null) throw new TypeError('the server was started with a pipe');
  const ready = new Promise<void>((resolve, reject) => {
    const refuse = (why: string) => () => reject(new ServiceError('ended', `PostgreSQL in ${folder} ${why}: ${said.trim().slice(-2000)}`));
    setTimeout(refuse('was not ready in time'), START_TIMEOUT_MS).unref();
    child.once('exit', refuse('ended'));
    child.once('error', refuse('could not be started'));
    log.on('data', (chunk: Buffer) => {
      // Read on after the start as well: a pipe that fills up stops the server.
      said = `${said}${chunk}`.slice(-16_384);
      if (READY.test(said)) resolve();
    });
  });
  try {
    await ready;
  } catch (error) {
    child.kill('SIGINT');
    throw error;
  }
}

/** Makes the database once; resolves to the password of its user. */
async function ensureDatabase(place: { readonly programs: string; readonly folder: string; readonly owner: Owner | undefined }): Promise<string> {
  const { programs, folder, owner } = place;
  const file = join(folder, 'password');
  // Written last: what was interrupted before is made anew.
  if (existsSync(file)) return (await readFile(file, 'utf8')).trim();
  await rm(join(folder, 'data'), { recursive: true, force: true });
  const password = randomBytes(24).toString('hex');
  const made = `${file}.new`;
  await writeFile(made, `${password}\n`, { mode: 0o600 });
  if (owner !== undefined) await chown(made, owner.uid, owner.gid);
  const options = ['-D', join(folder, 'data'), '-U', 'granary', '-E', 'UTF8', '--no-locale', '--auth=scram-sha-256', `--pwfile=${made}`];
  await promisify(execFile)(join(programs, 'initdb'), options, { ...owner, cwd: folder, env: { LC_ALL: 'C', PATH: programs } });
  await rm(made);
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Debian keeps the server of each major version in a folder of its own, off the PATH; the newest is taken. */
function findPrograms(): string | undefined {
  const version = (folder: string) => Number(/\/(\d+)\/bin$/.exec(folder)?.[1] ?? 0);
  return globSync('/usr/lib/postgresql/*/bin')
    .filter((folder) => existsSync(join(folder, 'initdb')))
    .toSorted((a, b) => version(b) - version(a))[0];
}

/** PostgreSQL refuses to run as root. Undefined when this process isn't root: then the server runs as its user. */
function ownerOfServer(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    // nobody and nogroup of Debian: the package was unpacked without its user.
    return { uid: 65_534, gid: 65_534 };
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function childrenOf(pid: number | undefined): Promise<readonly number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return listed.split(' ').filter(Boolean).map(Number);
}

function isRunning(pid: number): boolean {
  try {
    // proc(5): the state follows the name, which is in parentheses and may hold any character. A zombie holds nothing any more.
    return !/\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
