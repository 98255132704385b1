import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { UpstreamError } from '@granary/contract/ports';
import { describe, expect, it } from 'vitest';
import { open, read, say, serve, servers } from './test/loopback.ts';

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  return error instanceof UpstreamError ? error.code : String(error);
}

describe('an artifact', () => {
  it('is streamed as it lies on the wire, whatever encoding the server claims', async () => {
    const asked: IncomingMessage['headers'][] = [];
    const base = await serve((request, response) => {
      asked.push(request.headers);
      response.setHeader('content-encoding', 'gzip').end(gzipSync('a tarball'));
    });

    const bytes = await read(open([base]), { url: `${base}/a.tar.gz` });

    expect(bytes).toEqual(gzipSync('a tarball'));
    expect(asked[0]).toMatchObject({ 'accept-encoding': 'identity', 'user-agent': 'granary/test' });
  });

  it('leaves nothing on the signal that many are asked for with', async () => {
    const base = await serve((_, response) => response.end('a'));
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal.addEventListener, {
      apply: (add, self, argv) => {
        listeners += 1;
        return Reflect.apply(add, self, argv);
      },
    });
    signal.addEventListener = counted;
    const upstream = open([base]);

    await Promise.all(Array.from({ length: 16 }, (_, n) => read(upstream, { url: `${base}/${n}`, signal })));

    expect(listeners).toBe(0);
  });

  it('that ends before its announced length is truncated', async () => {
    const base = await say('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort');

    expect(await codeOf(read(open([base]), { url: base }))).toBe('truncated');
  });

  it('whose chunked body is cut off is truncated', async () => {
    const base = await say('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n');

    expect(await codeOf(read(open([base]), { url: base }))).toBe('truncated');
  });

  it('that announces more than is wanted is refused before its body', async () => {
    const base = await serve((_, response) => response.end('x'.repeat(1000)));

    expect(await codeOf(open([base]).open({ url: base, maxBytes: 999 }))).toBe('too-large');
  });

  it('without an end is cut off at the limit', async () => {
    const base = await serve((_, response) => {
      const timer = setInterval(() => response.write('x'.repeat(10_000)), 1);
      response.on('close', () => clearInterval(timer));
    });

    expect(await codeOf(read(open([base]), { url: base }))).toBe('too-large');
  });

  it('that stops arriving times out', async () => {
    const base = await say('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort', () => {});

    expect(await codeOf(read(open([base], { stallMs: 100 }), { url: base }))).toBe('timeout');
  });

  it('that only trickles times out', async () => {
    const base = await serve((_, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });

    expect(await codeOf(read(open([base], { stallMs: 300 }), { url: base }))).toBe('timeout');
  });

  it('gives its connection back when the reader leaves early', async () => {
    const base = await serve((_, response) => response.end(Buffer.alloc(90_000)));
    const upstream = open([base], { maxConcurrent: 1 });

    const first = await upstream.open({ url: base, maxBytes: 100_000 });
    if (first.status === 'ok') await first.body[Symbol.asyncIterator]().return?.();

    expect(await read(upstream, { url: base })).toHaveLength(90_000);
  });
});

describe('headers', () => {
  it('that trickle in time out', async () => {
    const base = await say('HTTP/1.1 200 OK\r\nx-a: 1\r\n', () => {});

    expect(await codeOf(open([base], { stallMs: 100 }).open({ url: base, maxBytes: 1, timeoutMs: 2000 }))).toBe('timeout');
  });

  it('that do not come within the time for all tries time out, also between two tries', async () => {
    const base = await serve((request) => request.socket.destroy());

    expect(await codeOf(open([base]).open({ url: base, maxBytes: 1, timeoutMs: 300 }))).toBe('timeout');
  });

  it('that are no HTTP are malformed', async () => {
    const base = await say('SSH-2.0-OpenSSH_9.2\r\n');

    expect(await codeOf(open([base]).open({ url: base, maxBytes: 1 }))).toBe('malformed');
  });
});

describe('a document', () => {
  it.each([
    ['gzip', gzipSync('{"a":1}')],
    ['br', brotliCompressSync('{"a":1}')],
  ])('in %s is decoded', async (encoding, bytes) => {
    const base = await serve((_, response) => response.setHeader('content-encoding', encoding).end(bytes));

    expect((await read(open([base]), { url: base, accept: 'application/json' })).toString()).toBe('{"a":1}');
  });

  it('that is small is asked for as it is, and decoded all the same', async () => {
    const asked: IncomingMessage['headers'][] = [];
    const base = await serve((request, response) => {
      asked.push(request.headers);
      response.setHeader('content-encoding', 'gzip').end(gzipSync('{"a":1}'));
    });

    const bytes = await read(open([base]), { url: base, accept: 'application/json', isSmall: true });

    expect([bytes.toString(), asked[0]?.['accept-encoding'], asked[0]?.accept]).toEqual(['{"a":1}', 'identity', 'application/json']);
  });

  it('that is a bomb is too large', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const base = await serve((_, response) => response.setHeader('content-encoding', 'gzip').end(bomb));

    expect(await codeOf(read(open([base]), { url: base, accept: 'application/json' }))).toBe('too-large');
  });

  it('in an encoding nobody asked for is malformed', async () => {
    const base = await serve((_, response) => response.setHeader('content-encoding', 'gzip, gzip').end('x'));

    expect(await codeOf(read(open([base]), { url: base, accept: 'application/json' }))).toBe('malformed');
  });

  it('is fetched once for all who ask at the same time', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests += 1;
      setTimeout(() => response.end('{}'), 50);
    });
    const upstream = open([base]);

    const answers = await Promise.all([1, 2, 3].map(() => read(upstream, { url: base, accept: 'application/json' })));

    expect(answers.map(String)).toEqual(['{}', '{}', '{}']);
    expect(requests).toBe(1);
  });

  it('goes on arriving for the others when one of them leaves', async () => {
    const base = await serve((_, response) => setTimeout(() => response.end('{}'), 100));
    const upstream = open([base]);
    const controller = new AbortController();

    const leaving = read(upstream, { url: base, accept: '*/*', signal: controller.signal });
    const staying = read(upstream, { url: base, accept: '*/*' });
    controller.abort(new Error('leaving'));

    await expect(leaving).rejects.toThrow('leaving');
    expect((await staying).toString()).toBe('{}');
  });

  it('that has not changed is not sent again', async () => {
    const base = await serve((request, response) => {
      response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : 200;
      response.setHeader('etag', '"1"').end(response.statusCode === 304 ? undefined : '{}');
    });
    const upstream = open([base]);

    const first = await upstream.open({ url: base, accept: '*/*', maxBytes: 10 });
    const second = await upstream.open({ url: base, accept: '*/*', maxBytes: 10, etag: '"1"' });

    expect(first).toMatchObject({ status: 'ok', etag: '"1"', sizeBytes: 2 });
    expect(second).toMatchObject({ status: 'not-modified' });
  });

  it.each([404, 410, 451])('that is answered %i is not found', async (code) => {
    const base = await serve((_, response) => response.writeHead(code).end());

    expect(await open([base]).open({ url: base, accept: '*/*', maxBytes: 10 })).toMatchObject({ status: 'not-found', code });
  });

  it('that is forbidden is an error, asked for once', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests += 1;
      response.writeHead(403).end();
    });

    expect(await codeOf(read(open([base]), { url: base, accept: '*/*' }))).toBe('bad-status');
    expect(requests).toBe(1);
  });
});

describe('a host in trouble', () => {
  it('that asks to wait is asked again after that, and not before', async () => {
    const times: number[] = [];
    const base = await serve((_, response) => {
      times.push(Date.now());
      if (times.length === 1) response.writeHead(429, { 'retry-after': '1' }).end();
      else response.end('{}');
    });
    const upstream = open([base]);

    await Promise.all([read(upstream, { url: `${base}/a`, accept: '*/*' }), sleep(100).then(() => read(upstream, { url: `${base}/b`, accept: '*/*' }))]);

    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('that asks for a long wait is busy at once, and left alone', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests += 1;
      response.writeHead(503, { 'retry-after': '600' }).end();
    });
    const upstream = open([base]);

    expect(await codeOf(read(upstream, { url: base, accept: '*/*' }))).toBe('busy');
    expect(await codeOf(read(upstream, { url: `${base}/other`, accept: '*/*' }))).toBe('busy');
    expect(requests).toBe(1);
  });

  it('that drops connections is tried again', async () => {
    let requests = 0;
    const base = await serve((request, response) => {
      requests += 1;
      if (requests < 3) request.socket.destroy();
      else response.end('{}');
    });

    expect((await read(open([base]), { url: base, accept: '*/*' })).toString()).toBe('{}');
  });

  it('that keeps failing gives up after a few attempts', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests += 1;
      response.writeHead(500).end();
    });

    expect(await codeOf(read(open([base]), { url: base, accept: '*/*' }))).toBe('bad-status');
    expect(requests).toBe(4);
  });

  it('is never asked for more at once than its budget', async () => {
    let now = 0;
    let most = 0;
    const base = await serve((_, response) => {
      now += 1;
      most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        response.end('x');
      }, 20);
    });
    const upstream = open([base], { maxConcurrent: 2 });

    await Promise.all(Array.from({ length: 8 }, (_, index) => read(upstream, { url: `${base}/${index}` })));

    expect(most).toBe(2);
  });
});

describe('a redirect', () => {
  const redirecting = (to: () => string) => serve((_, response) => response.writeHead(302, { location: to() }).end());

  it('to another configured upstream is followed, and the final address is told', async () => {
    const target = await serve((_, response) => response.end('here'));
    const base = await redirecting(() => `${target}/moved`);

    const response = await open([base, target]).open({ url: base, maxBytes: 10 });

    expect(response).toMatchObject({ status: 'ok', url: `${target}/moved` });
  });

  it('to a private address that is not configured is refused, by number and by name', async () => {
    const target = await serve((_, response) => response.end('secret'));
    const byNumber = await redirecting(() => target);
    const byName = await redirecting(() => target.replace('127.0.0.1', 'localhost'));
    const mapped = await redirecting(() => target.replace('127.0.0.1', '[::ffff:127.0.0.1]'));
    const upstream = open([byNumber, byName, mapped]);

    for (const url of [byNumber, byName, mapped]) expect(await codeOf(upstream.open({ url, maxBytes: 10 }))).toBe('refused-address');
  });

  it('to another scheme is refused', async () => {
    const base = await redirecting(() => 'file:///etc/passwd');

    expect(await codeOf(open([base]).open({ url: base, maxBytes: 10 }))).toBe('refused-address');
  });

  it('in a circle ends', async () => {
    const base = await redirecting(() => '/again');

    expect(await codeOf(open([base]).open({ url: base, maxBytes: 10 }))).toBe('too-many-redirects');
  });

  it('shows each origin its own credentials, and those that were given before those of an address', async () => {
    const seen: (string | undefined)[] = [];
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      seen.push(request.headers.authorization);
      response.end('here');
    };
    const [one, two, three] = [await serve(listener), await serve(listener), await serve(listener)];
    const credentials = new Map([
      [one, 'Bearer one'],
      [two, 'two'],
    ]);
    const upstream = open([one, two.replace('http://', 'http://reader:word@'), three.replace('http://', 'http://:word@')], { credentials });

    for (const url of [one, two, three]) await read(upstream, { url });

    expect(seen).toEqual(['Bearer one', 'two', `Basic ${btoa(':word')}`]);
  });

  it.each([
    ['a redirect without an end', (response: ServerResponse) => void response.writeHead(302, { location: '/' }).end()],
    ['a redirect to nowhere', (response: ServerResponse) => void response.writeHead(302, { location: 'ftp://other.example/' }).end()],
    ['a status', (response: ServerResponse) => void response.writeHead(403).end()],
    ['a busy host', (response: ServerResponse) => void response.writeHead(429, { 'retry-after': '120' }).end()],
    ['too much', (response: ServerResponse) => void response.end('x'.repeat(1000))],
  ])('says no credentials in what it says of %s', async (_what, answer) => {
    const base = (await serve((_, response) => answer(response))).replace('http://', 'http://reader:word@');

    for (const more of [{}, { accept: 'text/plain' }]) {
      const error = await open([base])
        .open({ url: `${base}/x`, maxBytes: 10, ...more })
        .catch((reason: unknown) => reason);

      expect(inspect(error, { depth: 8 })).toMatch(/127\.0\.0\.1/);
      expect(inspect(error, { depth: 8 })).not.toMatch(/word/);
    }
  });

  it('never carries the credentials of a configured upstream to another', async () => {
    const seen: (string | undefined)[] = [];
    const target = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('here');
    });
    const base = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: target }).end();
    });
    const upstream = open([base.replace('http://', 'http://reader:word@'), target]);

    const response = await upstream.open({ url: base.replace('http://', 'http://reader:word@'), maxBytes: 10 });

    expect(seen).toEqual([`Basic ${btoa('reader:word')}`, undefined]);
    expect(JSON.stringify(response)).not.toContain('word');
  });
});

it('answers the reason of the caller who gave up', async () => {
  const base = await serve(() => {});
  const controller = new AbortController();
  const reason = new Error('enough');
  setTimeout(() => controller.abort(reason), 50);

  await expect(open([base]).open({ url: base, maxBytes: 1, signal: controller.signal })).rejects.toBe(reason);
});

it('reports who could not be reached', async () => {
  const base = await serve(() => {});
  servers.pop()?.close();

  await expect(open([base]).open({ url: base, maxBytes: 1 })).rejects.toThrow(/ECONNREFUSED/);
});
