import { connect } from 'node:net';
import type { HttpHandler, HttpResponse } from '@granary/contract/ports';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, openHttpServer, webHandler } from './index.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
async function host(handler: HttpHandler, more: { readonly onError?: (error: unknown) => void; readonly drainMs?: number } = {}): Promise<string> {
  const server = await openHttpServer({ listen: { host: '127.0.0.1', port: 0 }, handler, ...more });
  servers.push(server);
  return server.address;
}
const text = (body: string): HttpResponse => ({ status: 200, headers: ['content-length', String(Buffer.byteLength(body))], body: Buffer.from(body) });

/** Everything a raw connection says in answer to these bytes. */
function raw(address: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1', () => socket.write(bytes));
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(said));
    socket.on('error', reject);
  });
}

describe('an http server', () => {
  it('answers at once, later, and in a stream', async () => {
    const address = await host(({ target }) => {
      if (target === '/now') return text('now');
      if (target === '/later') return Promise.resolve(text('later'));
      return { status: 200, headers: ['content-length', '6'], body: { sizeBytes: 6, open: async () => chunks('str', 'eam') } };
    });

    const bodies = await Promise.all(['/now', '/later', '/stream'].map(async (path) => (await fetch(address + path)).text()));

    expect(bodies).toEqual(['now', 'later', 'stream']);
  });

  it('says the reason as the handler words it', async () => {
    const address = await host(() => ({ status: 403, reason: 'Granary quarantined pypi/x 1.2: MAL-1', headers: ['content-length', '0'] }));

    expect((await fetch(address)).statusText).toBe('Granary quarantined pypi/x 1.2: MAL-1');
  });

  it('answers HEAD with the true length, and opens no stream for it', async () => {
    let opened = false;
    const address = await host(() => ({
      status: 200,
      headers: ['content-length', '7'],
      body: {
        sizeBytes: 7,
        async open() {
          opened = true;
          return chunks('content');
        },
      },
    }));

    const response = await fetch(address, { method: 'HEAD' });

    expect(response.headers.get('content-length')).toBe('7');
    expect(opened).toBe(false);
  });

  it('keeps a connection for several requests', async () => {
    const address = await host(({ target }) => text(target));
    const once = 'GET /a HTTP/1.1\r\nhost: x\r\n\r\n';

    const said = await raw(address, `${once}${once.replace('/a', '/b')}${once.replace('/a', '/c').replace('host: x', 'host: x\r\nconnection: close')}`);

    expect(said.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  });

  it.each(['POST', 'PUT', 'DELETE'])('refuses %s', async (method) => {
    const address = await host(() => text('x'));

    const response = await fetch(`${address}/some/path`, { method });

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it('leaves the judgement of strange addresses to the handler, or refuses them', async () => {
    const address = await host(({ target }) => text(target));

    expect(await raw(address, 'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 (200|400)/);
  });

  it('refuses headers that have no end', async () => {
    const address = await host(() => text('x'));

    expect(await raw(address, `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/);
  });

  it('says 500 and no more when the handler throws, and tells its owner', async () => {
    const errors: unknown[] = [];
    const address = await host(
      ({ target }) => {
        if (target === '/now') throw new Error('secret');
        return Promise.reject(new Error('secret later'));
      },
      { onError: (error) => errors.push(error) },
    );

    const answers = await Promise.all(['/now', '/later'].map(async (path) => (await fetch(address + path)).text()));

    expect(answers).toEqual(['500 Granary could not answer this.\n', '500 Granary could not answer this.\n']);
    expect(errors).toHaveLength(2);
  });

  it('breaks the connection when a stream fails midway, so that nothing short looks whole', async () => {
    async function* failing() {
      yield Buffer.from('half');
      throw new Error('disk');
    }
    const address = await host(() => ({ status: 200, headers: ['content-length', '8'], body: { sizeBytes: 8, open: async () => failing() } }), {
      onError() {},
    });

    await expect(fetch(address).then((response) => response.text())).rejects.toThrow();
  });

  it('stops reading a stream when the client leaves', async () => {
    const ended = Promise.withResolvers<void>();
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        ended.resolve();
      }
    }
    const address = await host(() => ({ status: 200, headers: [], body: { sizeBytes: 0, open: async () => endless() } }));
    const controller = new AbortController();

    const response = await fetch(address, { signal: controller.signal });
    await response.body?.getReader().read();
    controller.abort();

    await ended.promise;
  });

  it('lets answers under way end before it closes', async () => {
    const started = Promise.withResolvers<void>();
    const server = await openHttpServer({
      listen: { host: '127.0.0.1', port: 0 },
      async handler() {
        started.resolve();
        await new Promise((resolve) => setTimeout(resolve, 100));
        return text('done');
      },
    });

    const answer = fetch(server.address).then((response) => response.text());
    await started.promise;
    await server.close();

    expect(await answer).toBe('done');
    await expect(fetch(server.address)).rejects.toThrow();
  });

  it('says who is in the way when its address is taken', async () => {
    const { port } = new URL(await host(() => text('x')));

    const second = openHttpServer({ listen: { host: '127.0.0.1', port: Number(port) }, handler: () => text('x') });

    await expect(second).rejects.toMatchObject({ code: 'address-in-use' });
  });

  it('hosts handlers of web requests', async () => {
    const address = await host(
      webHandler(async (request) => new Response(new URL(request.url).pathname, { status: 201, headers: { 'x-a': request.headers.get('x-a') ?? '' } })),
    );

    const response = await fetch(`${address}/path?q`, { headers: { 'x-a': 'b' } });

    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, 'b', '/path']);
  });
});

async function* chunks(...parts: readonly string[]) {
  for (const part of parts) yield Buffer.from(part);
}
