import { createServer } from 'node:http';
import { parseObjectKey } from '@granary/core/layout';
import { parseSha256, type Sha256 } from '@granary/core/model';
import { type SiteEvidence, siteEvidence } from '../index.ts';
import { ORIGIN, type TestSite } from './test-site.ts';

export interface HttpMirror {
  readonly url: string;
  readonly evidence: SiteEvidence;
  close(): Promise<void>;
}

/** The documents that a mirror serves to verifiers, of a test site as it is now; `change` stands for a mirror that lies. */
export async function httpMirror(site: TestSite, change: (path: string, body: string) => string = (_, body) => body): Promise<HttpMirror> {
  const evidence = siteEvidence({ catalog: site.catalog, objects: site.store.objects, publicKey: site.publicKey });
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    void answer(site, evidence, path).then(
      (body) => response.writeHead(body === undefined ? 404 : 200).end(typeof body === 'string' ? change(path, body) : body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return { url, evidence, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function answer({ store }: TestSite, evidence: SiteEvidence, path: string): Promise<Uint8Array | string | undefined> {
  const key = path.startsWith('/ledger/') ? parseObjectKey(`ledgers/${ORIGIN}/${path.slice('/ledger/'.length)}`) : undefined;
  if (key !== undefined) return await store.objects.get(key, 20_000_000);
  if (path === '/api/v1/keys') return JSON.stringify(await evidence.keys());
  const [, file = ''] = /^\/api\/v1\/artifacts\/([^/]+)\/bundles$/.exec(path) ?? [];
  const digest: Sha256 | undefined = parseSha256(file);
  return digest === undefined ? undefined : JSON.stringify({ bundles: await evidence.bundlesOf(digest) });
}
