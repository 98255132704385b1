import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { encodeEntry, type Fact, factBody, pinned, type Sha256, toInstant } from '@granary/core/model';
import { type HttpServer, openHttpServer } from '@granary/driver-http-fastify';
import { pypi } from '@granary/ecosystem-pypi';
import { openServe } from '@granary/stage-serve';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ORIGIN = 'ledger.example';
const AT = toInstant(Date.UTC(2026, 0, 1));
const WHEEL = 'Sample_Box-1.0-py3-none-any.whl';
const OTHER = 'sample_box-1.1-py3-none-any.whl';
const BIG = 'sample-box-1.0.tar.gz';
const bytesOf: Readonly<Record<string, Buffer>> = {
  [WHEEL]: Buffer.alloc(300_000, 'wheel '),
  [OTHER]: Buffer.alloc(350_000, 'other '),
  [BIG]: Buffer.alloc(3_000_000, 'source '),
};

let server: HttpServer;
const paths: Record<string, string> = {};

beforeAll(async () => {
  const store = memoryStore();
  const catalog = memoryCatalog();
  const record = (fact: Fact) => catalog.fold(ORIGIN, [{ index: catalog.size(ORIGIN), bytes: encodeEntry(fact, 'author', AT) }]);
  const put = async (bytes: Uint8Array) => (await store.blobs.put(bytes, { maxBytes: bytes.length })).sha256;
  const metadata = await put(Buffer.from('Metadata-Version: 2.1\nName: sample-box\n'));
  const digests = new Map<string, Sha256>();
  for (const [fileName, bytes] of Object.entries(bytesOf)) digests.set(fileName, await put(bytes));
  const listed = [...digests].map(([filename, sha256]) => ({
    filename,
    url: `https://files.registry.example/f/${filename}`,
    hashes: { sha256 },
    'requires-python': '>=3.8',
    'upload-time': '2025-06-01T00:00:00.123456Z',
    yanked: false,
  }));
  const document = Buffer.from(JSON.stringify({ meta: { 'api-version': '1.1' }, name: 'sample-box', files: listed }));
  const mediaType = 'application/vnd.pypi.simple.v1+json';
  const url = 'https://registry.example/simple/sample-box/';
  record({ kind: 'observed', subject: 'pkg:pypi/sample-box', body: factBody({ document: await put(document), sizeBytes: document.length, mediaType, url }) });
  const { artifacts } = pypi.index.parse(document, { url, contentType: mediaType, package: pypi.demand.packageOfPin({ name: 'sample-box', version: '1.0' }) });
  for (const { purl, fileName, sha256, path, publishedAt } of artifacts.flatMap((artifact) => pinned(artifact) ?? [])) {
    paths[fileName] = path;
    const wheelOnly = fileName === WHEEL ? { metadata } : {};
    record({
      kind: 'stored',
      subject: purl,
      inputs: [sha256],
      body: factBody({ sha256, sizeBytes: bytesOf[fileName]?.length ?? 0, path, publishedAt, evidence: [], ...wheelOnly }),
    });
  }
  const serve = openServe({
    ...store,
    catalog,
    clock: { now: () => toInstant(Date.now()), sleep: async () => undefined },
    ecosystems: [pypi],
    site: {
      publicUrl: 'http://mirror.example',
      origin: ORIGIN,
      defaultView: 'all',
      policy: { mode: 'enforce', verdicts: ['reproduced'], tiers: ['publisher-archive'], findings: [], waivers: [] },
    },
    ledgerSize: () => catalog.size(ORIGIN),
    bundlesOf: async () => [],
    keys: async () => ({ publicKey: '', trustedRoot: {}, endorsements: [] }),
    notReady: () => [],
    // Room for one of the wheels: each takes the place of the other.
    memory: { artifactBytes: 400_000 },
  });
  server = await openHttpServer({ listen: { host: '127.0.0.1', port: 0 }, handler: serve.handle });
});
afterAll(() => server.close());

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') => fetch(`${server.address}${path}`, { headers, method, redirect: 'manual' });
/** An address on a page, as a client resolves it. */
const resolve = (page: string, reference: string) => new URL(reference, `${server.address}${page}`).pathname;

it.each(['/pypi', '/all/pypi', '/as-of/2025-07-01T00:00:00Z/pypi', '/as-of/2025-07-01T00%3A00%3A00%2B02%3A00@4/pypi'])(
  'leads a client of %s from the page to the file and its metadata, all on one origin',
  async (prefix) => {
    const page = `${prefix}/simple/sample-box/`;

    const index = await get(page, { accept: 'application/vnd.pypi.simple.v1+json' });
    const { files } = (await index.json()) as { files: { filename: string; url: string; 'core-metadata': unknown }[] };
    const wheel = files.find(({ filename }) => filename === WHEEL);
    const file = await get(resolve(page, wheel?.url ?? ''));
    const metadata = await get(`${resolve(page, wheel?.url ?? '')}.metadata`);

    expect(index.headers.get('content-type')).toBe('application/vnd.pypi.simple.v1+json');
    expect(Buffer.from(await file.arrayBuffer()).equals(bytesOf[WHEEL] ?? Buffer.alloc(0))).toBe(true);
    expect(await metadata.text()).toMatch(/^Metadata-Version/);
    expect(wheel?.['core-metadata']).toHaveProperty('sha256');
  },
);

it('speaks HTML with browsers and old clients, and redirects names that are not normalized', async () => {
  const html = await get('/pypi/simple/sample-box/', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
  const redirect = await get('/pypi/simple/Sample.Box');

  expect(html.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(await html.text()).toContain(`data-core-metadata="sha256=`);
  expect([redirect.status, resolve('/pypi/simple/Sample.Box', redirect.headers.get('location') ?? '')]).toEqual([301, '/pypi/simple/sample-box/']);
});

it.each([WHEEL, BIG])('lets uv read parts of %s, and says beforehand that it can', async (fileName) => {
  const address = `/pypi/${paths[fileName]}`;
  const bytes = bytesOf[fileName] ?? Buffer.alloc(0);

  const head = await get(address, {}, 'HEAD');
  const tail = await get(address, { range: `bytes=${bytes.length - 100}-${bytes.length - 1}` });

  expect([head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([String(bytes.length), 'bytes']);
  expect(tail.status).toBe(206);
  expect(Buffer.from(await tail.arrayBuffer()).equals(bytes.subarray(-100))).toBe(true);
});

it('serves files whole while each pushes the other out of memory', async () => {
  const rounds = Array.from({ length: 60 }, async (_, index) => {
    const fileName = index % 2 === 0 ? WHEEL : OTHER;
    const answer = Buffer.from(await (await get(`/pypi/${paths[fileName]}`)).arrayBuffer());
    return answer.equals(bytesOf[fileName] ?? Buffer.alloc(0));
  });

  expect(new Set(await Promise.all(rounds))).toEqual(new Set([true]));
});

it('puts the reason of a refusal where pip and uv print it', async () => {
  const refused = await get(`/verified/pypi/${paths[WHEEL]}`);

  expect(refused.status).toBe(403);
  expect(refused.statusText).toBe(
    `Granary policy verified refuses pypi/sample-box 1.0 ${WHEEL}: no verdict yet, see http://mirror.example/releases/pkg%3Apypi%2Fsample-box%401.0`,
  );
  expect(await refused.text()).toBe(`403 ${refused.statusText}\n`);
});
