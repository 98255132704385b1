import { randomUUID } from 'node:crypto';
import { openHttpServer, webHandler } from '@granary/driver-http-fastify';
import { type CandidatePorts, type CandidateView, openCandidateView } from '@granary/stage-sync';

/** The candidate view on loopback, for the resolver alone: a path that nobody else knows. */
export interface CandidateServer extends AsyncDisposable {
  readonly view: CandidateView;
  /** Index address for the resolver. */
  readonly indexUrl: string;
}

export async function openCandidateServer(ports: CandidatePorts): Promise<CandidateServer> {
  const view = openCandidateView(ports);
  const prefix = `/${randomUUID()}`;
  const handler = webHandler(async (request) => {
    const url = new URL(request.url);
    if (!url.pathname.startsWith(`${prefix}/`)) return new Response('', { status: 404 });
    url.pathname = url.pathname.slice(prefix.length);
    return await view.handle(new Request(url, request));
  });
  const server = await openHttpServer({ listen: { host: '127.0.0.1', port: 0 }, handler });
  return { view, indexUrl: `${server.address}${prefix}/simple/`, [Symbol.asyncDispose]: () => server.close() };
}
