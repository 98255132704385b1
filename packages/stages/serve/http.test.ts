import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { openTestSite } from './test/site.ts';

const wheel = 'box-1-any.whl';
const big = Buffer.alloc(3_000_000, 'granary ');
const address = (bytes: Uint8Array | string, fileName = wheel) => `/tiny/files/${sha256(bytes)}/${fileName}`;
const served = async () => {
  const site = openTestSite();
  await site.observe([{ fileName: wheel }, ...Array.from({ length: 40 }, (_, index) => ({ fileName: `box-${index + 2}-any.whl` }))]);
  await site.keep(wheel, { metadata: `Name: box\n${'Classifier: x\n'.repeat(100)}` });
  for (let version = 2; version < 42; version += 1) await site.keep(`box-${version}-any.whl`);
  return site;
};

describe('an index page', () => {
  it('says what it is, and how long that may be believed', async () => {
    const { status, headers, bytes } = await (await served()).get('/tiny/index/box/', { accept: 'application/tiny+json' });

    expect(status).toBe(200);
    expect(headers).toEqual({
      'content-type': 'application/tiny+json',
      'content-length': String(bytes.length),
      etag: `"${sha256(bytes)}"`,
      'cache-control': 'public, max-age=30',
      vary: 'Accept, Accept-Encoding',
      'x-content-type-options': 'nosniff',
    });
  });

  it.each([
    ['gzip, br', 'br', brotliDecompressSync],
    ['gzip;q=1.0, br;q=0.5', 'gzip', gunzipSync],
    ['gzip, deflate', 'gzip', gunzipSync],
  ])('is compressed for a client that accepts %s, with a tag of its own', async (accepted, coding, expand) => {
    const site = await served();
    const plain = await site.get('/tiny/index/box/');

    const { headers, bytes } = await site.get('/tiny/index/box/', { 'accept-encoding': accepted });

    expect(headers).toMatchObject({ 'content-encoding': coding, 'content-length': String(bytes.length), etag: `"${sha256(plain.bytes)}-${coding}"` });
    expect(expand(bytes)).toEqual(plain.bytes);
  });

  it('is not sent again to whoever has it, until it changes', async () => {
    const site = await served();
    const { headers } = await site.get('/tiny/index/box/');
    const etag = headers['etag'] ?? '';

    expect(await site.get('/tiny/index/box/', { 'if-none-match': `"x", W/${etag}` })).toMatchObject({ status: 304, headers: { etag } });
    expect((await site.get('/tiny/index/box/', { 'if-none-match': '*' })).status).toBe(304);
    site.state('quarantined', 'pkg:tiny/box@7', { reason: 'MAL-1' });
    expect((await site.get('/tiny/index/box/', { 'if-none-match': etag })).status).toBe(200);
  });

  it('comes in the form the client likes best, or not at all', async () => {
    const site = await served();
    const typeFor = async (accept: string) => (await site.get('/tiny/index/box/', { accept })).headers['content-type'];

    expect(await typeFor('application/tiny+json;q=0.2, text/html;q=0.9')).toBe('text/html; charset=utf-8');
    expect(await typeFor('*/*')).toBe('text/html; charset=utf-8');
    expect((await site.get('/tiny/index/box/', { accept: 'image/png' })).status).toBe(406);
  });

  it('answers HEAD with the true length', async () => {
    const site = await served();

    const { headers } = await site.head('/tiny/index/box/');

    expect(headers['content-length']).toBe(String((await site.get('/tiny/index/box/')).bytes.length));
  });
});

describe.each([
  ['a small file', Buffer.from(wheel)],
  ['a large file', big],
])('%s', (_, bytes) => {
  const site = async () => {
    const opened = openTestSite();
    await opened.observe([{ fileName: wheel, sha256: sha256(bytes) }]);
    await opened.keep(wheel, { bytes });
    return opened;
  };
  const etag = `"${sha256(bytes)}"`;

  it('is served whole, with its digest as tag', async () => {
    const answer = await (await site()).get(address(bytes), { 'accept-encoding': 'gzip, br' });

    expect(answer.status).toBe(200);
    expect(bytes.equals(answer.bytes)).toBe(true);
    expect(answer.headers).toEqual({
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      etag,
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=60',
      'x-content-type-options': 'nosniff',
    });
  });

  it('is served in parts', async () => {
    const opened = await site();
    const part = async (range: string) => {
      const { status, headers, bytes: sent } = await opened.get(address(bytes), { range });
      return [
        status,
        headers['content-range'],
        sent.length === Number(headers['content-length']),
        Buffer.from(sent).equals(bytes.subarray(...slice(headers['content-range']))) || status !== 206,
      ];
    };
    const slice = (contentRange = 'bytes 0-0/0'): [number, number] => {
      const [, start = '0', end = '0'] = /bytes (\d+)-(\d+)/.exec(contentRange) ?? [];
      return [Number(start), Number(end) + 1];
    };
    const size = bytes.length;

    expect(await part('bytes=0-3')).toEqual([206, `bytes 0-3/${size}`, true, true]);
    expect(await part('bytes=5-')).toEqual([206, `bytes 5-${size - 1}/${size}`, true, true]);
    expect(await part('bytes=-4')).toEqual([206, `bytes ${size - 4}-${size - 1}/${size}`, true, true]);
    expect(await part(`bytes=2-${size + 100}`)).toEqual([206, `bytes 2-${size - 1}/${size}`, true, true]);
    expect(await part(`bytes=${size}-`)).toEqual([416, `bytes */${size}`, true, true]);
    expect(await part('bytes=-0')).toEqual([416, `bytes */${size}`, true, true]);
    expect((await part('bytes=0-1, 3-4'))[0]).toBe(200);
    expect((await part('bytes=9-2'))[0]).toBe(200);
    expect((await part('items=0-1'))[0]).toBe(200);
  });

  it('is sent in parts only while the tag holds, and not at all to whoever has it', async () => {
    const opened = await site();

    expect((await opened.get(address(bytes), { range: 'bytes=0-1', 'if-range': etag })).status).toBe(206);
    expect((await opened.get(address(bytes), { range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200);
    expect((await opened.get(address(bytes), { range: 'bytes=0-1', 'if-range': `W/${etag}` })).status).toBe(200);
    expect(await opened.get(address(bytes), { 'if-none-match': etag })).toMatchObject({ status: 304, headers: { etag } });
  });

  it('answers HEAD with its true length, and that parts can be had', async () => {
    const { status, headers } = await (await site()).head(address(bytes));

    expect([status, headers['content-length'], headers['accept-ranges']]).toEqual([200, String(bytes.length), 'bytes']);
  });
});

it('serves the metadata beside a file, compressed', async () => {
  const site = await served();

  const { headers, bytes } = await site.get(`${address(wheel)}.metadata`, { 'accept-encoding': 'gzip' });

  expect(headers).toMatchObject({ 'content-type': 'text/plain', 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  expect(gunzipSync(bytes).toString()).toMatch(/^Name: box/);
  expect((await site.get(`${address('box-2-any.whl', 'box-2-any.whl')}.metadata`)).reason).toBe(
    'Granary holds no metadata of tiny/box 2 box-2-any.whl, see http://mirror.example/releases/pkg%3Atiny%2Fbox%402',
  );
});

it('lists the packages that it holds', async () => {
  expect((await (await served()).get('/tiny/index/')).text).toBe('pkg:tiny/box');
});

it.each([
  ['/tiny/nonsense', 400],
  ['/all/other/x', 400],
  ['/tiny/%zz', 400],
  ['/tiny/index/box/%00', 400],
  ['/tiny/index/../box/', 400],
  [`/${'x'.repeat(5000)}`, 400],
  ['/favicon.ico', 404],
])('answers %s with %i and one line', async (target, status) => {
  const answer = await openTestSite().get(target);

  expect(answer.status).toBe(status);
  expect(answer.text).toBe(`${status} ${answer.reason}\n`);
});

describe('a large file, where clients get it themselves', () => {
  const redirecting = async () => {
    const site = openTestSite({ redirects: { fromBytes: big.length, addressOf: async (digest) => `https://s3.example/${digest}?signed` } });
    await site.observe([{ fileName: wheel }, { fileName: 'box-2-any.whl' }]);
    await site.keep(wheel, { bytes: big });
    await site.keep('box-2-any.whl');
    return site;
  };

  it('is answered with an address that nobody may keep', async () => {
    const { status, headers, bytes } = await (await redirecting()).get(address(big));

    expect(status).toBe(302);
    expect(headers).toEqual({ location: `https://s3.example/${sha256(big)}?signed`, 'cache-control': 'no-store', 'content-length': '0' });
    expect(bytes).toHaveLength(0);
  });

  it('is answered here to whoever looks first, or wants a part', async () => {
    const site = await redirecting();

    expect((await site.head(address(big))).headers).toMatchObject({ 'accept-ranges': 'bytes', 'content-length': String(big.length) });
    expect((await site.get(address(big), { range: 'bytes=0-6' })).text).toBe('granary');
    expect((await site.get(address(big), { 'if-none-match': `"${sha256(big)}"` })).status).toBe(304);
  });

  it('leaves smaller ones alone', async () => {
    expect((await (await redirecting()).get(address('box-2-any.whl', 'box-2-any.whl'))).status).toBe(200);
  });
});
