import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpHandler } from '@granary/contract/ports';
import { type FastifyInstance, fastify } from 'fastify';
import { HttpError } from './http-error.ts';
import { bodyMemory } from './read-body.ts';
import { answer, answerPosted, type Tap } from './send.ts';

export type Listen = { readonly host: string; readonly port: number } | { readonly path: string };
export interface HttpServerOptions {
  /** Port 0 takes any that is free. */
  readonly listen: Listen;
  readonly handler: HttpHandler;
  /** Told of what went wrong in our own code; the client reads `500` and no more. */
  readonly onError?: (error: unknown) => void;
  /** Sees every byte sent. */
  readonly tap?: (request: { readonly method: string; readonly target: string }) => Tap;
  /** What bodies of requests may hold in memory together. Left out, POST is answered with 405 as other methods are. */
  readonly maxBodiesBytes?: number;
  /** How long answers under way may still take when the server is closed. */
  readonly drainMs?: number;
}
export interface HttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:8080`, or the path of a socket. */
  readonly address: string;
  /** Takes no more connections; resolves when the last answer is out or cut off. */
  close(): Promise<void>;
}

/** Hosts a handler for GET and HEAD, and for POST where it is asked to, on HTTP/1.1. Bounded: headers 16 KiB in 10 s, a request 20 s, a silent connection 75 s, which is longer than nginx keeps one. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  let closing = false;
  const memory = options.maxBodiesBytes === undefined ? undefined : bodyMemory(options.maxBodiesBytes);
  const app = fastify({
    logger: false,
    // Whoever sends a body gets past the router, or is refused.
    bodyLimit: 1,
    forceCloseConnections: 'idle',
    // What is read goes past the router: there is one handler, and routing would cost as much as answering.
    serverFactory: (route) =>
      boundedServer((request, response) => {
        if (closing) response.shouldKeepAlive = false;
        if (request.method === 'GET' || request.method === 'HEAD') return answer(options, request, response);
        if (request.method !== 'POST' || memory === undefined) return route(request, response);
        void answerPosted(options, { message: request, out: response }, memory);
      }),
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(405).header('allow', 'GET, HEAD').type('text/plain').send('405 only GET and HEAD are answered here\n'),
  );
  const address = await listen(app, options.listen);
  const close = () => {
    closing = true;
    return drain(app, options.drainMs ?? 5000);
  };
  return { address, close, [Symbol.asyncDispose]: close };
}

function boundedServer(listener: RequestListener): Server {
  const limits = { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 0, connectionsCheckingInterval: 5000 };
  // One timer per connection, whether it is busy or kept alive: a second one would be set anew twice for each request.
  return createServer(limits, listener).setTimeout(75_000);
}

async function listen(app: FastifyInstance, where: Listen): Promise<string> {
  try {
    await app.listen(where);
  } catch (cause) {
    throw listenError(where, cause);
  }
  if ('path' in where) return where.path;
  const bound = app.server.address();
  return `http://${where.host.includes(':') ? `[${where.host}]` : where.host}:${isTcp(bound) ? bound.port : where.port}`;
}

function listenError(where: Listen, cause: unknown): unknown {
  const place = 'path' in where ? where.path : `${where.host}:${where.port}`;
  switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
    case 'EADDRINUSE':
      return new HttpError(
        'address-in-use',
        `listen on ${place}: another process listens there; stop it, or give this one an address of its own with --listen`,
        { cause },
      );
    case 'EACCES':
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new HttpError('address-unavailable', `listen on ${place}: the address is not ours to listen on`, { cause });
    default:
      return cause;
  }
}

async function drain(app: FastifyInstance, drainMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

function isTcp(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
