import type { HttpBody, HttpRequest, HttpResponse, Readers, Repositories } from '@granary/contract/ports';
import { largeFileName, largeFilePurl } from '@granary/contract/repository';
import { formatReaderToken, parseReaderId } from '@granary/core/access';
import { encodeBatchRequest, LFS_MEDIA_TYPE } from '@granary/core/lfs';
import { sha256, toPurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { openTestSite } from './test/site.ts';

const LAMP = toPurl('pkg:git/forge.example/owner/lamp');
const BULB = toPurl('pkg:git/forge.example/owner/bulb');
const ADDRESS = '/git/forge.example/owner/lamp.git/info/lfs';
const ORIGIN = 'http://mirror.example';
const BYTES = Buffer.from('a large file');
const OID = sha256(BYTES);
const FILE = { oid: OID, sizeBytes: BYTES.length };
const HREF = `${ORIGIN}/git/forge.example/owner/lamp/info/lfs/objects/${OID}`;

describe('a client of large files', () => {
  it('is told where they are, and gets them there, whole and in part', async () => {
    const { ask, site } = await openSite();

    const answer = await ask(encodeBatchRequest([FILE]));

    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': LFS_MEDIA_TYPE, 'cache-control': 'no-store' } });
    expect(answer.json).toEqual({ transfer: 'basic', hash_algo: 'sha256', objects: [{ oid: OID, size: 12, actions: { download: { href: HREF } } }] });
    const at = HREF.slice(ORIGIN.length);
    expect(await site.get(at)).toMatchObject({ status: 200, text: 'a large file', headers: { 'content-length': '12' } });
    expect(await site.get(at, { range: 'bytes=8-' })).toMatchObject({ status: 206, text: 'file' });
    expect(await site.head(at)).toMatchObject({ status: 200, headers: { 'content-length': '12' } });
  });

  it('is led to the view that it asked in, of times in which the repository was known', async () => {
    const { ask, site } = await openSite();

    const answer = await ask(encodeBatchRequest([FILE]), `/as-of/2026-01-03T00:00:00Z${ADDRESS}`);
    const early = await ask(encodeBatchRequest([FILE]), `/as-of/2025-01-01T00:00:00Z${ADDRESS}`);

    const href = HREF.replace('/git/', '/as-of/2026-01-03T00:00:00.000Z/git/');
    expect(answer.json).toMatchObject({ objects: [{ actions: { download: { href } } }] });
    expect((await site.get(href.slice(ORIGIN.length))).text).toBe('a large file');
    expect(early).toMatchObject({ status: 404, json: { message: expect.stringContaining('it was first seen at 2026-01-02') } });
    expect((await site.get(`/as-of/2025-01-01T00:00:00Z/git/forge.example/owner/lamp/info/lfs/objects/${OID}`)).status).toBe(404);
  });

  it('reads of each file why it can’t have it', async () => {
    const { ask } = await openSite();
    const other = sha256('another file');

    const { json } = await ask(
      encodeBatchRequest([
        { oid: other, sizeBytes: 1 },
        { ...FILE, sizeBytes: 13 },
      ]),
    );

    expect(json).toMatchObject({
      objects: [
        { oid: other, error: { code: 404, message: `Granary does not hold this large file of ${LAMP}` } },
        { oid: OID, error: { code: 422 } },
      ],
    });
    expect(JSON.stringify(json)).not.toContain('href');
  });

  it.each([
    [403, 'an upload', { type: 'whole', bytes: Buffer.from('{"operation":"upload","objects":[]}') }, /takes no large files/],
    [422, 'no JSON', { type: 'whole', bytes: Buffer.from('{') }, /expected JSON/],
    [413, 'a body that is too large', { type: 'refused', status: 413, why: 'it is too much' }, /it is too much/],
  ] as const)('reads %i for %s', async (status, _, body, message) => {
    const { post } = await openSite();

    expect(await post(ADDRESS, body)).toMatchObject({ status, json: { message: expect.stringMatching(message) } });
  });

  it.each([
    [405, `${ADDRESS}/objects/batch`],
    [404, `${ADDRESS}/objects/${'a'.repeat(64)}`],
    [404, `${ADDRESS}/objects/..%2f..%2fetc`],
    [404, `${ADDRESS}/locks`],
    [404, `/git/forge.example/owner/bulb/info/lfs/objects/${OID}`],
    [404, `/git/forge.example/owner/candle/info/lfs/objects/${OID}`],
  ])('reads %i and why for %s', async (status, target) => {
    const { site } = await openSite();
    const answer = await site.get(target);

    expect(answer).toMatchObject({ status, headers: { 'content-type': LFS_MEDIA_TYPE } });
    expect(JSON.parse(answer.text)).toEqual({ message: expect.stringMatching(/^Granary /) });
  });

  it('gets nothing of what is quarantined: a repository, or one file of it', async () => {
    const { ask, site } = await openSite();
    const refused = async () => [(await site.get(HREF.slice(ORIGIN.length))).status, (await ask(encodeBatchRequest([FILE]))).json];

    site.state('quarantined', largeFilePurl(LAMP, OID), { reason: 'planted' });
    const ofFile = await refused();
    site.state('released', largeFilePurl(LAMP, OID), { reason: 'was none' });
    site.state('quarantined', LAMP, { reason: 'taken over' });
    const ofRepository = await refused();
    site.state('released', LAMP, { reason: 'was none' });

    expect(ofFile).toMatchObject([403, { objects: [{ error: { code: 403, message: 'Granary quarantined this file: planted' } }] }]);
    expect(ofRepository).toMatchObject([403, { message: expect.stringMatching(/^Granary quarantined pkg:git\/.*: taken over, see /) }]);
    expect((await refused())[0]).toBe(200);
  });

  it('that had to show a token is told to show it for the file', async () => {
    const id = parseReaderId('0000000000000001');
    const token = id === undefined ? '' : formatReaderToken(id, new Uint8Array(32).fill(1));
    const readers: Readers = { revision: () => 0, tokenOf: (asked) => (asked === id ? sha256(token) : undefined) };
    const { ask, site } = await openSite(readers);
    const authorization = `Basic ${Buffer.from(`reader:${token}`).toString('base64')}`;

    const answer = await ask(encodeBatchRequest([FILE]), ADDRESS, { authorization });

    expect(answer.json).toMatchObject({ objects: [{ authenticated: true, actions: { download: { href: HREF, header: { Authorization: authorization } } } }] });
    expect((await ask(encodeBatchRequest([FILE]))).status).toBe(401);
    expect((await site.get(HREF.slice(ORIGIN.length))).status).toBe(401);
    expect((await site.get(HREF.slice(ORIGIN.length), { authorization })).text).toBe('a large file');
  });
});

/** A site whose git is never asked, with one large file in one of two repositories. */
async function openSite(readers?: Readers) {
  const repositories: Repositories = {
    open: async () => {
      throw new Error('large files are none of its business');
    },
  };
  const site = openTestSite({ repositories, ...(readers === undefined ? {} : { readers }) });
  site.at('2026-01-02T00:00:00Z');
  await site.store.blobs.put(BYTES, { maxBytes: 100 });
  for (const repository of [LAMP, BULB]) site.state('observed', repository, { document: sha256('refs'), sizeBytes: 1, mediaType: 'x', url: 'x' });
  const body = { sha256: OID, sizeBytes: BYTES.length, path: largeFileName(OID), evidence: [] };
  site.record({ kind: 'stored', subject: largeFilePurl(LAMP, OID), inputs: [OID], body });
  const post = async (address: string, sent: HttpBody, headers: HttpRequest['headers'] = {}) => {
    await new Promise(setImmediate);
    return read(await site.serve.handle({ method: 'POST', target: `${address}/objects/batch`, headers, body: async () => sent }));
  };
  return { site, post, ask: (bytes: Uint8Array, address = ADDRESS, headers: HttpRequest['headers'] = {}) => post(address, { type: 'whole', bytes }, headers) };
}

function read({ status, headers, body }: HttpResponse) {
  const pairs = Array.from({ length: headers.length / 2 }, (_, at): [string, string] => [headers[2 * at] ?? '', headers[2 * at + 1] ?? '']);
  const text = body instanceof Uint8Array ? Buffer.from(body).toString() : '';
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status, headers: Object.fromEntries(pairs), json };
}
