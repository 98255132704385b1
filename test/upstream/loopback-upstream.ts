import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';

/** One file of the upstream, as its index lists it. */
interface ListedFile {
  readonly project: string;
  readonly fileName: string;
  readonly bytes: Uint8Array;
  readonly uploadTime: string;
  readonly yanked?: string | boolean;
}
/** How an upstream can misbehave, for one file or one project. */
export type Fault = 'wrong-digest' | 'truncated' | 'half-and-hang' | 'endless' | 'malformed-index' | 'redirect-to-private' | 'unavailable' | 'hang';

/** A PyPI of its own on loopback: the simple API in JSON with ETags, and the files. Everything may change while it runs. */
export interface LoopbackUpstream extends AsyncDisposable {
  /** Base of the index: `http://127.0.0.1:…/simple/`. */
  readonly index: string;
  readonly requests: readonly string[];
  publish(file: ListedFile): void;
  publishPath(path: string, options: { readonly project: string; readonly uploadTime?: string }): void;
  yank(fileName: string, reason: string | boolean): void;
  remove(fileName: string): void;
  /** `subject` is a file name or a project. */
  fault(subject: string, fault: Fault | undefined): void;
  close(): Promise<void>;
}

export async function openLoopbackUpstream(port = 0): Promise<LoopbackUpstream> {
  const files = new Map<string, ListedFile>();
  const faults = new Map<string, Fault>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer({ files, faults }, request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const publish = (file: ListedFile) => void files.set(file.fileName, file);
  return {
    index: `http://127.0.0.1:${bound}/simple/`,
    requests,
    publish,
    publishPath: (path, { project, uploadTime = '2024-01-01T00:00:00Z' }) =>
      publish({ project, fileName: basename(path), bytes: readFileSync(path), uploadTime }),
    yank(fileName, reason) {
      const file = files.get(fileName);
      if (file !== undefined) files.set(fileName, { ...file, yanked: reason });
    },
    remove: (fileName) => void files.delete(fileName),
    fault: (subject, fault) => void (fault === undefined ? faults.delete(subject) : faults.set(subject, fault)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface State {
  readonly files: ReadonlyMap<string, ListedFile>;
  readonly faults: ReadonlyMap<string, Fault>;
}

function answer({ files, faults }: State, request: IncomingMessage, response: ServerResponse): void {
  const path = decodeURIComponent(request.url ?? '');
  const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
  if (project !== undefined) {
    const listed = [...files.values()].filter((file) => file.project === project);
    indexPage({ project, listed, fault: faults.get(project) }, request, response);
    return;
  }
  const file = files.get(path.slice(path.lastIndexOf('/') + 1));
  if (file === undefined || !path.startsWith('/packages/')) return void response.writeHead(404).end('not here');
  sendFile(file, faults.get(file.fileName), response);
}

interface Page {
  readonly project: string;
  readonly listed: readonly ListedFile[];
  readonly fault: Fault | undefined;
}

function indexPage({ project, listed, fault }: Page, request: IncomingMessage, response: ServerResponse): void {
  if (fault === 'hang') return;
  if (fault === 'unavailable') return void response.writeHead(503).end();
  if (fault === 'redirect-to-private') return void response.writeHead(302, { location: 'http://10.1.2.3/simple/x/' }).end();
  if (fault === 'endless') return void endless(response);
  if (listed.length === 0) return void response.writeHead(404).end();
  const body =
    fault === 'malformed-index'
      ? '{"meta":{"api-version":"1.1"},"name":1'
      : JSON.stringify({ meta: { 'api-version': '1.1' }, name: project, files: listed.map(indexEntry), versions: [] });
  const etag = `"${sha256(Buffer.from(body)).slice(0, 16)}"`;
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
  response.writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json', etag }).end(body);
}

function indexEntry(file: ListedFile): object {
  const digest = sha256(file.bytes);
  return {
    filename: file.fileName,
    url: `../../packages/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest.slice(4, 64)}/${file.fileName}`,
    hashes: { sha256: digest },
    size: file.bytes.length,
    'upload-time': file.uploadTime,
    yanked: file.yanked ?? false,
    'requires-python': null,
  };
}

function sendFile(file: ListedFile, fault: Fault | undefined, response: ServerResponse): void {
  switch (fault) {
    case 'hang':
      return;
    case 'unavailable':
      return void response.writeHead(503).end();
    case 'redirect-to-private':
      return void response.writeHead(302, { location: 'http://10.1.2.3/x' }).end();
    case 'wrong-digest':
      return void response.writeHead(200, { 'content-length': file.bytes.length }).end(Buffer.alloc(file.bytes.length, 7));
    case 'truncated':
      response.writeHead(200, { 'content-length': file.bytes.length });
      response.write(file.bytes.subarray(0, file.bytes.length >> 1), () => response.destroy());
      return;
    case 'half-and-hang':
      response.writeHead(200, { 'content-length': file.bytes.length });
      response.write(file.bytes.subarray(0, file.bytes.length >> 1));
      return;
    case 'endless':
      endless(response);
      return;
    case 'malformed-index':
    case undefined:
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.bytes.length }).end(file.bytes);
  }
}

/** Until the client has enough of it. */
function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 1);
  const pump = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', pump);
  response.writeHead(200);
  pump();
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
