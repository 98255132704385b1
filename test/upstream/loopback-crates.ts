import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One version of a crate: what its index line says of it, and its bytes. */
export interface PublishedCrate {
  readonly name: string;
  readonly version: string;
  /** As an index has them. */
  readonly deps: readonly object[];
  readonly features: Readonly<Record<string, readonly string[]>>;
  readonly bytes: Uint8Array;
  /** Whole seconds: cargo skips a line that has more. */
  readonly publishedAt: string;
  readonly yanked?: boolean;
}

/** A registry of crates on loopback: a sparse index with ETags, and the crates elsewhere below the same origin. Everything may change while it runs. */
export interface LoopbackCrates extends AsyncDisposable {
  /** Base of the index: `http://127.0.0.1:…/index/`. */
  readonly index: string;
  readonly requests: readonly string[];
  /** Takes the place of one of the same name and version. */
  publish(crate: PublishedCrate): void;
  yank(name: string, version: string): void;
  remove(name: string, version: string): void;
  close(): Promise<void>;
}

export async function openLoopbackCrates(): Promise<LoopbackCrates> {
  const crates = new Map<string, PublishedCrate>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer([...crates.values()], request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    index: `http://127.0.0.1:${port}/index/`,
    requests,
    publish: (crate) => void crates.set(`${crate.name} ${crate.version}`, crate),
    yank(name, version) {
      const crate = crates.get(`${name} ${version}`);
      if (crate !== undefined) crates.set(`${name} ${version}`, { ...crate, yanked: true });
    },
    remove: (name, version) => void crates.delete(`${name} ${version}`),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function answer(crates: readonly PublishedCrate[], request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? '';
  // Without markers: clients append crate, version and `download`.
  if (path === '/index/config.json') return void send(response, Buffer.from(JSON.stringify({ dl: `http://${request.headers.host}/api/v1/crates` })));
  const [, name, version] = /^\/api\/v1\/crates\/([^/]+)\/([^/]+)\/download$/.exec(path) ?? [];
  const crate = crates.find((one) => one.name === name && one.version === version);
  if (crate !== undefined) return void send(response, crate.bytes);
  const listed = crates.filter((one) => path === `/index/${indexPath(one.name)}`);
  if (listed.length === 0) return void response.writeHead(404).end('not here');
  const body = Buffer.from(listed.map((one) => `${JSON.stringify(indexLine(one))}\n`).join(''));
  const etag = `"${sha256(body).slice(0, 16)}"`;
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
  response.writeHead(200, { 'content-type': 'text/plain', etag }).end(body);
}

function send(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
}

function indexLine({ name, version, deps, features, bytes, publishedAt, yanked = false }: PublishedCrate): object {
  return { name, vers: version, deps, cksum: sha256(bytes), features, yanked, pubtime: publishedAt, v: 2 };
}

/** The Cargo book, index files; for names of four and more letters. */
function indexPath(name: string): string {
  const lower = name.toLowerCase();
  return `${lower.slice(0, 2)}/${lower.slice(2, 4)}/${lower}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
