import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@granary/core/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type VerifyCode, verifyExitCode, verifyFile } from './index.ts';
import { type HttpMirror, httpMirror } from './test/http-mirror.ts';
import { fileName, judged, makeSite, type TestSite, wheel } from './test/test-site.ts';

let root: string;
let site: TestSite;
let size: number;
let mirror: HttpMirror | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'granary-verify-'));
  site = await makeSite(root);
  size = await site.attest(judged);
});
afterEach(async () => {
  await mirror?.close();
  mirror = undefined;
  await rm(root, { recursive: true, force: true });
});

async function verify(publicKey = site.publicKey, change?: (path: string, body: string) => string) {
  mirror = await httpMirror(site, change);
  return await verifyFile({ file: { bytes: wheel, fileName }, publicKey, source: mirror.url });
}
const lying = (change: (body: string) => string) => verify(site.publicKey, (path, body) => (path.endsWith('/bundles') ? change(body) : body));

describe('verifying a file against the URL of a mirror', () => {
  it('says the same as against its folder', async () => {
    const report = await verify();

    expect(report).toEqual(await verifyFile({ file: { bytes: wheel, fileName }, publicKey: site.publicKey, source: site.folder }));
    expect(verifyExitCode(report)).toBe(0);
  });

  it('needs nothing but the statement key', async () => {
    expect((await verify(site.keys.statement.publicKeyPem)).ledger.trust).toBe('endorsed');
  });

  it.each<[string, VerifyCode, (body: string) => string]>([
    ['leaves a statement out', 'bundle-malformed', (body) => JSON.stringify({ bundles: JSON.parse(body).bundles.slice(1) })],
    [
      'alters an inclusion proof',
      'proof-altered',
      (body) => body.replace(/"hashes":\["./, (start) => `${start.slice(0, -1)}${start.endsWith('A') ? 'B' : 'A'}`),
    ],
    ['drops an inclusion proof', 'proof-altered', (body) => body.replace(/"hashes":\[[^\]]*\]/, '"hashes":[]')],
    ['moves an entry', 'proof-altered', (body) => body.replace(`"logIndex":"${size - 6}"`, `"logIndex":"${size - 5}"`)],
    ['alters a checkpoint', 'checkpoint-altered', (body) => body.replace(`mirror.example\\n${size}\\n`, 'mirror.example\\n10\\n')],
    ['alters a signature', 'envelope-altered', (body) => body.replace(/"sig":"[^"]+"/, '"sig":"MAYCAQECAQE="')],
    ['names another key', 'bundle-malformed', (body) => body.replace(/"keyid":"[^"]+"/, '"keyid":"SHA256:x"')],
    ['signs with another key', 'wrong-key', (body) => body.replaceAll(/"(keyid|hint)":"[^"]+"/g, '"$1":"SHA256:x"')],
    [
      'promises inclusion',
      'bundle-malformed',
      (body) => body.replace('"inclusionProof":', '"inclusionPromise":{"signedEntryTimestamp":"AA=="},"inclusionProof":'),
    ],
    ['sends another document', 'bundle-malformed', () => '{}'],
    ['sends half a document', 'bundle-malformed', (body) => body.slice(0, body.length / 2)],
  ])('refuses a mirror that %s', async (_, code, change) => {
    await expect(lying(change)).rejects.toMatchObject({ code });
  });

  it('refuses a statement about another file in the place of one about this', async () => {
    const other = { name: judged.subject.name, sha256: sha256('another wheel') };
    await site.attest({ ...judged, subject: other, verdictKey: sha256('other verdict') });
    const foreign = await httpMirror(site);
    const bundles = await foreign.evidence.bundlesOf(other.sha256);
    await foreign.close();

    await expect(lying((body) => JSON.stringify({ bundles: [...bundles, ...JSON.parse(body).bundles] }))).rejects.toMatchObject({
      code: 'other-file',
      message: expect.stringContaining('not about this file'),
    });
  });

  it('says when no mirror answers there', async () => {
    mirror = await httpMirror(site);
    const { url } = mirror;
    await mirror.close();
    mirror = undefined;

    await expect(verifyFile({ file: { bytes: wheel }, publicKey: site.publicKey, source: url })).rejects.toMatchObject({
      code: 'mirror-unreachable',
      message: expect.stringContaining('is the mirror running?'),
    });
  });

  it('shows a token to a mirror that wants one, and says how where it has none', async () => {
    const shown: (string | undefined)[] = [];
    const server = createServer(({ headers }, response) => {
      shown.push(headers.authorization);
      response.writeHead(401).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const source = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const refusal = { code: 'mirror-unreachable', message: expect.stringContaining('GRANARY_READER_TOKEN') };

    for (const readerToken of [undefined, 'granary_token'])
      await expect(verifyFile({ file: { bytes: wheel }, publicKey: site.publicKey, source, readerToken })).rejects.toMatchObject(refusal);
    server.close();

    expect(shown).toEqual([undefined, 'Bearer granary_token']);
  });

  it('follows no redirect', async () => {
    mirror = await httpMirror(site);
    const { url } = mirror;
    const server = createServer((request, response) => response.writeHead(302, { location: `${url}${request.url}` }).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    await expect(verifyFile({ file: { bytes: wheel }, publicKey: site.publicKey, source: `http://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'mirror-unreachable',
    });
    server.close();
  });
});
