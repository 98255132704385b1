import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Upstream, UpstreamRequest } from '@granary/contract/ports';
import { toInstant } from '@granary/core/model';
import { afterEach } from 'vitest';
import { type HttpUpstreamOptions, openHttpUpstream } from '../index.ts';

const clock: Clock = {
  now: () => toInstant(Date.now()),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal && { signal }),
};
/** Closed after each test, the newest last. */
export const servers: { close(): void }[] = [];
const upstreams: AsyncDisposable[] = [];
afterEach(async () => {
  for (const upstream of upstreams.splice(0)) await upstream[Symbol.asyncDispose]();
  for (const server of servers.splice(0)) server.close();
});

export async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push({
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
  return `http://127.0.0.1:${portOf(server)}`;
}
/** Says exactly these bytes to whoever connects, then what `after` does. */
export async function say(bytes: string, after: (end: () => void) => void = (end) => end()): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(bytes);
      after(() => socket.end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${portOf(server)}`;
}
function portOf(server: { address(): string | AddressInfo | null }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
interface OpenOptions extends Pick<HttpUpstreamOptions, 'stallMs' | 'credentials'> {
  readonly maxConcurrent?: number;
}
export function open(configured: readonly string[], { maxConcurrent = 4, stallMs = 2000, credentials }: OpenOptions = {}): Upstream {
  const budgets = { maxConcurrent, requestsPerSecond: 1000, burst: 100 };
  const upstream = openHttpUpstream({ configured, clock, budgets, userAgent: 'granary/test', stallMs, ...(credentials && { credentials }) });
  upstreams.push(upstream);
  return upstream;
}
export async function read(upstream: Upstream, request: Omit<UpstreamRequest, 'maxBytes'> & { readonly maxBytes?: number }): Promise<Buffer> {
  const response = await upstream.open({ maxBytes: 100_000, ...request });
  if (response.status !== 'ok') throw new Error(response.status);
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
