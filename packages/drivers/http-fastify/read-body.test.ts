import { connect } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { HttpHandler } from '@granary/contract/ports';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, openHttpServer } from './index.ts';

const MAX_BYTES = 1000;
const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Says what it read, or why not. */
const reader: HttpHandler = async ({ method, body }) => {
  const read = await body?.(MAX_BYTES);
  const said = read === undefined ? `${method} without a body` : read.type === 'refused' ? read.why : Buffer.from(read.bytes).toString();
  return { status: read?.type === 'refused' ? read.status : 200, headers: ['content-length', String(Buffer.byteLength(said))], body: Buffer.from(said) };
};
async function host(handler: HttpHandler = reader, maxBodiesBytes = 100_000): Promise<string> {
  const server = await openHttpServer({ listen: { host: '127.0.0.1', port: 0 }, handler, maxBodiesBytes });
  servers.push(server);
  return server.address;
}
async function post(address: string, body: string | Uint8Array<ArrayBuffer> | ReadableStream, coding?: string): Promise<readonly [number, string]> {
  const headers = coding === undefined ? {} : { 'content-encoding': coding };
  const response = await fetch(address, { method: 'POST', body, headers, duplex: 'half' });
  return [response.status, await response.text()];
}
/** A connection that has sent this, and everything it is told until it ends. */
function open(address: string, bytes: string): { readonly said: Promise<string>; readonly leave: () => void } {
  const socket = connect(Number(new URL(address).port), '127.0.0.1', () => socket.write(bytes));
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  const said = new Promise<string>((resolve) => socket.on('close', () => resolve(text)).on('error', () => undefined));
  return { said, leave: () => socket.destroy() };
}

describe('the body of a request', () => {
  it('is read whole, as it was sent or expanded', async () => {
    const address = await host();

    expect(await post(address, 'plain')).toEqual([200, 'plain']);
    expect(await post(address, gzipSync('packed'), 'gzip')).toEqual([200, 'packed']);
    expect(await post(address, gzipSync('packed'), ' X-GZIP')).toEqual([200, 'packed']);
    expect(await post(address, '')).toEqual([200, '']);
    expect(await (await fetch(address)).text()).toBe('GET without a body');
  });

  it.each([
    ['is said to be', 'x'.repeat(MAX_BYTES + 1), undefined],
    ['turns out to be', new Blob(['x'.repeat(MAX_BYTES), 'y']).stream(), undefined],
    ['expands to', gzipSync(Buffer.alloc(10_000_000)).subarray(0), 'gzip'],
    ['expands in many members to', Buffer.concat(Array.from({ length: 40 }, () => gzipSync('x'.repeat(50)))).subarray(0, MAX_BYTES), 'gzip'],
  ])('%s more than is taken is refused', async (_, body, coding) => {
    expect(await post(await host(), body, coding)).toEqual([413, `the body has more than ${MAX_BYTES} bytes`]);
  });

  it('exactly as large as is taken is read', async () => {
    expect(await post(await host(), gzipSync('x'.repeat(MAX_BYTES)), 'gzip')).toEqual([200, 'x'.repeat(MAX_BYTES)]);
  });

  it('that is damaged, or in another coding, is refused', async () => {
    const address = await host();

    expect(await post(address, gzipSync('packed').subarray(0, 12), 'gzip')).toEqual([400, 'the body is not what gzip makes']);
    expect(await post(address, 'packed', 'gzip')).toEqual([400, 'the body is not what gzip makes']);
    expect(await post(address, brotliCompressSync('packed'), 'br')).toEqual([415, 'bodies are read as they are, or with gzip']);
    expect(await post(address, gzipSync(gzipSync('packed')), 'gzip, gzip')).toEqual([415, 'bodies are read as they are, or with gzip']);
  });

  it('is refused while others hold all the memory there is, and read when they are answered', async () => {
    let answerFirst = () => {};
    const held = new Promise<void>((resolve) => {
      answerFirst = resolve;
    });
    let isHeld = () => {};
    const read = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    const address = await host(async (request) => {
      const response = await reader(request);
      if (request.target !== '/first') return response;
      isHeld();
      await held;
      return response;
    }, 1000);
    const first = post(`${address}/first`, 'x'.repeat(900));
    await read;

    const second = await post(address, 'y'.repeat(101));
    answerFirst();

    expect(second).toEqual([503, 'too many requests with a body at once, ask again']);
    expect((await first)[0]).toBe(200);
    expect((await post(address, 'y'.repeat(101)))[0]).toBe(200);
  });

  it('gives its memory back when the client leaves in the middle', async () => {
    const outcomes: string[] = [];
    const address = await host(async (request) => {
      const read = await request.body?.(MAX_BYTES);
      outcomes.push(read?.type === 'refused' ? read.why : 'whole');
      return { status: 200, headers: ['content-length', '0'] };
    }, 1000);

    for (let count = 0; count < 3; count += 1) {
      const { leave } = open(address, `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 800\r\n\r\n${'x'.repeat(700)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      leave();
      await expect.poll(() => outcomes.length).toBe(count + 1);
    }

    expect(outcomes).toEqual(Array(3).fill('the body broke off'));
    expect((await post(address, 'x'.repeat(900)))[0]).toBe(200);
  });

  it('that nobody reads ends the connection after the answer', async () => {
    const address = await host(() => ({ status: 405, headers: ['content-length', '0'] }));

    const { said } = open(address, `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 800\r\n\r\n${'x'.repeat(10)}`);

    expect(await said).toMatch(/^HTTP\/1\.1 405 .*\r\nConnection: close\r\n/s);
  });

  it('that does not come in time is waited for no longer', async () => {
    const { said } = open(await host(), 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 800\r\n\r\nx');

    expect(await said).toMatch(/^HTTP\/1\.1 408 /);
  }, 40_000);
});
