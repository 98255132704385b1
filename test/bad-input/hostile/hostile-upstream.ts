import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Attack } from './attacks.ts';
import type { Page } from './registries.ts';

/** Registries of several ecosystems behind one address, that answer as they are told. */
export interface HostileUpstream extends AsyncDisposable {
  readonly origin: string;
  /** What was asked of the service beside it, which nobody configured. */
  readonly askedInside: readonly string[];
  /** Paths whose answer has begun and hasn't ended. */
  trickling(): readonly string[];
  serve(page: Page): void;
  /** Undefined: it has mended itself. */
  attack(page: Page, attack: Attack['answer'] | undefined): void;
}

export async function openHostileUpstream(): Promise<HostileUpstream> {
  const pages = new Map<string, Page>();
  const attacks = new Map<string, Attack['answer']>();
  const askedInside: string[] = [];
  const underWay = new Map<ServerResponse, string>();
  const inner = createServer((request, response) => {
    askedInside.push(request.url ?? '');
    response.end('secret');
  });
  const inside = await listen(inner);
  const outer = createServer((request: IncomingMessage, response: ServerResponse) => {
    const page = pages.get(decodeURIComponent(request.url ?? ''));
    if (page === undefined) return void response.writeHead(404).end('not here');
    underWay.set(response, page.path);
    response.once('close', () => underWay.delete(response));
    const attack = attacks.get(page.path);
    if (attack !== undefined) return attack(response, { page, inside });
    response.writeHead(200, { 'content-type': page.contentType, 'content-length': page.body.length }).end(page.body);
  });
  const origin = await listen(outer);
  return {
    origin,
    askedInside,
    trickling: () => [...underWay.values()],
    serve: (page) => void pages.set(page.path, page),
    attack: (page, attack) => void (attack === undefined ? attacks.delete(page.path) : attacks.set(page.path, attack)),
    async [Symbol.asyncDispose]() {
      for (const server of [outer, inner]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}
