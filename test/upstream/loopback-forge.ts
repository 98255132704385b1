import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, rename } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const IDENTITY = ['-c', 'user.name=A', '-c', 'user.email=a@maintainer.example', '-c', 'init.defaultBranch=main', '-c', 'commit.gpgSign=false'];

/** A forge on loopback: bare repositories behind git's own http-backend. */
export interface LoopbackForge {
  /** `http://127.0.0.1:3000/`: names follow, as `owner/name`. */
  readonly base: string;
  /** Makes an empty repository with a work tree to commit in. */
  create(name: string): Promise<ForgeRepository>;
  close(): Promise<void>;
}
export interface ForgeRepository {
  /** The bare one that is served. */
  readonly folder: string;
  /** Runs git in the work tree, whose `origin` is the one that is served. */
  git(...args: readonly string[]): Promise<string>;
  /** Takes it off the net, or back. */
  show(state: 'hidden' | 'shown'): Promise<void>;
}

export async function openLoopbackForge(folder: string): Promise<LoopbackForge> {
  const served = join(folder, 'served');
  await mkdir(served, { recursive: true });
  const server = createServer((request, response) => backend(served, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    base: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`,
    create: (name) => createRepository({ bare: join(served, `${name}.git`), work: join(folder, 'work', name) }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function createRepository({ bare, work }: { readonly bare: string; readonly work: string }): Promise<ForgeRepository> {
  await mkdir(work, { recursive: true });
  const git = async (...args: readonly string[]) => (await run('git', [...IDENTITY, ...args], { cwd: work, maxBuffer: 2 ** 28 })).stdout;
  await git('init', '--quiet', '--bare', bare);
  await git('init', '--quiet');
  await git('remote', 'add', 'origin', bare);
  return {
    folder: bare,
    git,
    show: (state) => (state === 'hidden' ? rename(bare, `${bare}-hidden`) : rename(`${bare}-hidden`, bare)),
  };
}

/** git-http-backend(1), as CGI (RFC 3875). */
function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const header = (name: string) => String(request.headers[name] ?? '');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: header('git-protocol'),
      PATH_INFO: decodeURIComponent(path),
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  response.on('close', () => child.kill());
  void answerFrom(child, response);
}

async function answerFrom({ stdout }: ChildProcess, response: ServerResponse): Promise<void> {
  let head = Buffer.alloc(0);
  for await (const chunk of stdout ?? []) {
    if (response.headersSent) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) continue;
    const lines = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': ', 2));
    const status = Number.parseInt(lines.find(([name]) => name === 'Status')?.[1] ?? '200', 10);
    response.writeHead(status, Object.fromEntries(lines.filter(([name]) => name !== 'Status')));
    response.write(head.subarray(end + 4));
  }
  response.end();
}
