import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A folder of bare repositories behind git's own http-backend, on loopback. */
export interface GitBackend {
  /** `http://127.0.0.1:3000/`: paths in the folder follow. */
  readonly base: string;
  /** Of all answers so far, without their HTTP headers. */
  bytesSent(): number;
  close(): Promise<void>;
}

/** Serves until it is closed; nobody can push. */
export async function serveGit(root: string): Promise<GitBackend> {
  let bytesSent = 0;
  const server = createServer((request, response) => {
    const child = backend(root, request);
    response.on('close', () => child.kill());
    void answerFrom(child, response, (bytes) => {
      bytesSent += bytes;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    base: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`,
    bytesSent: () => bytesSent,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** git-http-backend(1), as CGI (RFC 3875). */
function backend(root: string, request: IncomingMessage): ChildProcess {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const header = (name: string) => String(request.headers[name] ?? '');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      // The folder may belong to somebody else.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
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
  return child;
}

async function answerFrom({ stdout }: ChildProcess, response: ServerResponse, onBytes: (bytes: number) => void): Promise<void> {
  const chunks: AsyncIterator<Buffer> = (stdout ?? Readable.from([]))[Symbol.asyncIterator]();
  const { status, headers, rest } = await readHead(chunks);
  response.writeHead(status, headers);
  const body = async function* () {
    for (let next: IteratorResult<Buffer> = { value: rest, done: false }; next.done !== true; next = await chunks.next()) {
      onBytes(next.value.length);
      yield next.value;
    }
  };
  // Who leaves early has left.
  await pipeline(body, response).catch(() => undefined);
}

async function readHead(chunks: AsyncIterator<Buffer>) {
  let head = Buffer.alloc(0);
  let end = -1;
  while (end === -1) {
    const next = await chunks.next();
    if (next.done === true) return { status: 500, headers: {}, rest: head };
    head = Buffer.concat([head, next.value]);
    end = head.indexOf('\r\n\r\n');
  }
  const text = head.subarray(0, end).toString();
  const lines = text.split('\r\n').map((line) => line.split(': ', 2));
  const status = Number.parseInt(lines.find(([name]) => name === 'Status')?.[1] ?? '200', 10);
  return { status, headers: Object.fromEntries(lines.filter(([name]) => name !== 'Status')), rest: head.subarray(end + 4) };
}
