import { createServer } from 'node:http';
import { completeBundle, parseEnvelope } from '@granary/core/bundle';
import { envelopeKey, parseObjectKey } from '@granary/core/layout';
import { AttestedBody, decodeLeaf, type Sha256 } from '@granary/core/model';
import { openCheckpoint, tilePath, verifiedTiles } from '@granary/core/tlog';
import { ORIGIN, type TestSite } from './test-site.ts';

export interface HttpMirror {
  readonly url: string;
  /** Bundles of a file as the mirror hands them out. */
  bundles(file: Sha256): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** The documents that a mirror serves to verifiers, from the store of a test site; `change` stands for a mirror that lies. */
export async function httpMirror(site: TestSite, change: (path: string, body: string) => string = (_, body) => body): Promise<HttpMirror> {
  const bundles = (file: Sha256) => bundlesOf(site, file);
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    void answer(site, path).then(
      (body) => response.writeHead(body === undefined ? 404 : 200).end(typeof body === 'string' ? change(path, body) : body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return { url, bundles, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function answer(site: TestSite, path: string): Promise<Uint8Array | string | undefined> {
  if (path.startsWith('/ledger/')) return read(site, path.slice('/ledger/'.length));
  if (path === '/api/v1/keys') return JSON.stringify({ publicKey: site.publicKey, trustedRoot: {}, endorsements: await envelopes(site) });
  const [, file] = /^\/api\/v1\/artifacts\/([0-9a-f]{64})\/bundles$/.exec(path) ?? [];
  return file === undefined ? undefined : JSON.stringify({ bundles: await bundlesOf(site, file) });
}

async function bundlesOf(site: TestSite, file: string): Promise<readonly unknown[]> {
  const checkpoint = (await read(site, 'checkpoint')) ?? new Uint8Array();
  const { size, root } = openCheckpoint(checkpoint, ORIGIN, site.ledgerKey);
  const tiles = verifiedTiles((tile) => read(site, tilePath(tile)), size, root);
  const statements = (await tiles.leaves(0)).flatMap((leaf, index) => {
    const decoded = decodeLeaf(leaf);
    const body = decoded.type === 'entry' && decoded.entry.kind === 'attested' ? AttestedBody.parse(decoded.entry.body) : undefined;
    return body?.sha256 === file ? [{ envelope: body.envelope, index: index - 1 }] : [];
  });
  return Promise.all(
    statements.map(async ({ envelope, index }) => {
      const bytes = (await site.store.objects.get(envelopeKey(envelope), 1e6)) ?? new Uint8Array();
      return completeBundle(parseEnvelope(bytes), index, { log: site.ledgerKey, checkpoint, tiles });
    }),
  );
}

async function envelopes({ store }: TestSite): Promise<readonly unknown[]> {
  const keys = await Array.fromAsync(store.objects.list('envelopes/'));
  return Promise.all(keys.map(async (key) => JSON.parse(new TextDecoder().decode(await store.objects.get(key, 1e6)))));
}

async function read({ store }: TestSite, path: string): Promise<Uint8Array | undefined> {
  const key = parseObjectKey(`ledgers/${ORIGIN}/${path}`);
  return key && store.objects.get(key, 20_000_000);
}
