import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CONFIGURATION = join(import.meta.dirname, '../../infra/nginx/granary.conf');
const START_TIMEOUT_MS = 10_000;

export interface Nginx extends AsyncDisposable {
  readonly address: string;
}
export interface NginxPlace {
  readonly folder: string;
  readonly port: number;
  /** Addresses of the two nodes. */
  readonly nodes: readonly [string, string];
}

/** Why no nginx can be started here; undefined when one can. */
export function nginxMissing(): string | undefined {
  return nginxProgram() === undefined ? 'nginx is not installed: `apt-get install -y --no-install-recommends nginx-light` brings it' : undefined;
}

/** Starts Debian's nginx with the configuration of `infra/nginx`, in which only the addresses and the folder of the cache are others. */
export async function startNginx({ folder, port, nodes }: NginxPlace): Promise<Nginx> {
  const program = nginxProgram();
  if (program === undefined) throw new Error(nginxMissing());
  await mkdir(folder, { recursive: true });
  const site = join(folder, 'granary.conf');
  const changes = [
    ['api-1:8080', nodes[0]],
    ['api-2:8080', nodes[1]],
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    ['/var/cache/nginx/granary', join(folder, 'cache')],
  ] as const;
  await writeFile(site, changes.reduce(replaceOnce, await readFile(CONFIGURATION, 'utf8')));
  const main = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`);
  // As Debian's own nginx.conf sets them, to show that the site's settings hold.
  const debian = ['gzip on;', 'sendfile on;', 'tcp_nopush on;', 'default_type application/octet-stream;', 'access_log off;'];
  await writeFile(
    main,
    `daemon off; pid ${folder}/pid; worker_processes 1; error_log stderr warn; ${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
http { ${[...debian, ...temporary].join(' ')} include ${site}; }
`,
  );
  const child = spawn(program, ['-e', 'stderr', '-c', main], { stdio: ['ignore', 'ignore', 'pipe'] });
  await untilListening(child, port);
  return {
    address: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function nginxProgram(): string | undefined {
  return ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find((program) => existsSync(program) && spawnSync(program, ['-v']).status === 0);
}

function replaceOnce(text: string, [from, to]: readonly [string, string]): string {
  if (text.split(from).length !== 2) throw new Error(`granary.conf: expected ${from} once`);
  return text.replace(from, to);
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-8192);
  });
  for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline; await sleep(50)) {
    if (child.exitCode !== null) break;
    if (await answers(port)) return;
  }
  child.kill('SIGKILL');
  throw new Error(`nginx did not start: ${said}`);
}

async function answers(port: number): Promise<boolean> {
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
