import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { open, read, serve } from './test/loopback.ts';

describe('a question with a body', () => {
  it('is sent with its headers, and sent again where the answer says that it lies elsewhere for now', async () => {
    const asked: { readonly method: string | undefined; readonly type: string | undefined; readonly protocol: unknown; readonly body: string }[] = [];
    const base = await serve((incoming, response) => {
      void collected(incoming).then((body) => {
        asked.push({ method: incoming.method, type: incoming.headers['content-type'], protocol: incoming.headers['git-protocol'], body });
        if (incoming.url === '/moved') response.writeHead(307, { location: '/there' }).end();
        else response.end(`to ${body}`);
      });
    });
    const post = { contentType: 'application/x-question', body: Buffer.from('what?') };

    const answer = await read(open([base]), { url: `${base}/moved`, post, headers: { 'git-protocol': 'version=2' } });

    expect(answer.toString()).toBe('to what?');
    expect(asked).toEqual(Array(2).fill({ method: 'POST', type: 'application/x-question', protocol: 'version=2', body: 'what?' }));
  });

  it('is not turned into another one by a redirect', async () => {
    const base = await serve((_, response) => response.writeHead(302, { location: '/there' }).end());
    const post = { contentType: 'application/x-question', body: Buffer.from('what?') };

    await expect(read(open([base]), { url: base, post })).rejects.toMatchObject({ code: 'bad-status', message: expect.stringContaining('302') });
  });

  it('may wait longer for its answer than others', async () => {
    const base = await serve((_, response) => void setTimeout(() => response.end('late'), 3000));
    const upstream = open([base], { stallMs: 500 });

    expect((await read(upstream, { url: base, stallMs: 20_000 })).toString()).toBe('late');
    await expect(upstream.open({ url: base, maxBytes: 10, timeoutMs: 2500 })).rejects.toMatchObject({ code: 'timeout' });
  });
});

async function collected(incoming: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(incoming)).toString();
}
