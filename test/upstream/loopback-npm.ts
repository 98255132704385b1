import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** An npm registry of its own on loopback: `npm publish` fills it, and it signs what it has, as the public one does. Everything may change while it runs. */
export interface LoopbackNpm {
  /** `http://127.0.0.1:…/`. */
  readonly registry: string;
  readonly requests: readonly string[];
  /** Says that a version was published then; latest is the one that was published last. */
  date(name: string, version: string, at: string): void;
  /** The same name and version, with the bytes of another version. */
  replace(name: string, version: string, by: string): void;
  unpublish(name: string, version: string): void;
  close(): Promise<void>;
}

const Dist = z.looseObject({ tarball: z.string(), integrity: z.string(), shasum: z.string() });
const Published = z.object({
  name: z.string(),
  versions: z.record(z.string(), z.looseObject({ name: z.string(), version: z.string(), dist: Dist })),
  _attachments: z.record(z.string(), z.object({ data: z.string() })),
});
interface Release {
  readonly manifest: z.output<typeof Published>['versions'][string];
  readonly tarball: Buffer;
  readonly at: string;
}
interface Registry {
  readonly address: string;
  /** By package, then by version. */
  readonly packages: Map<string, Map<string, Release>>;
  readonly key: KeyObject;
  readonly keys: { readonly keys: readonly { readonly keyid: string }[] };
}

export async function openLoopbackNpm(): Promise<LoopbackNpm> {
  const requests: string[] = [];
  const packages: Registry['packages'] = new Map();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = publicKey.export({ format: 'der', type: 'spki' });
  const kind = { keytype: 'ecdsa-sha2-nistp256', scheme: 'ecdsa-sha2-nistp256', expires: null };
  const keys = { keys: [{ keyid: `SHA256:${createHash('sha256').update(der).digest('base64')}`, key: der.toString('base64'), ...kind }] };
  // A client packs for minutes on a busy machine, and then sends on the connection that it has.
  const server = createServer({ keepAliveTimeout: 900_000, requestTimeout: 0 }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const { port } = server.address() as AddressInfo;
    void answer({ address: `http://127.0.0.1:${port}`, packages, key: privateKey, keys }, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const releaseOf = (name: string, version: string): Release => {
    const release = packages.get(name)?.get(version);
    if (release === undefined) throw new RangeError(`${name}@${version} was never published`);
    return release;
  };
  return {
    registry: `http://127.0.0.1:${port}/`,
    requests,
    date: (name, version, at) => void packages.get(name)?.set(version, { ...releaseOf(name, version), at }),
    replace(name, version, by) {
      const { tarball } = releaseOf(name, by);
      packages.get(name)?.set(version, { ...releaseOf(name, version), tarball });
    },
    unpublish: (name, version) => void packages.get(name)?.delete(version),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? '', 'http://loopback').pathname).slice(1);
  if (request.method === 'PUT') return publish(registry, Buffer.concat(await Array.fromAsync(request)), response);
  const [, name = '', fileName = ''] = /^(.+)\/-\/([^/]+\.tgz)$/.exec(path) ?? [];
  const release = [...(registry.packages.get(name)?.entries() ?? [])].find(([version]) => fileName.endsWith(`-${version}.tgz`))?.[1];
  if (release !== undefined) return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(release.tarball);
  const body = documentAt(registry, path);
  if (body === undefined) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`;
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
  response.writeHead(200, { 'content-type': 'application/json', etag }).end(body);
}

function publish({ packages }: Registry, bytes: Buffer, response: ServerResponse): void {
  const { name, versions, _attachments } = Published.parse(JSON.parse(bytes.toString()));
  const releases = packages.get(name) ?? new Map<string, Release>();
  const [attachment] = Object.values(_attachments);
  for (const [version, manifest] of Object.entries(versions))
    releases.set(version, { manifest, tarball: Buffer.from(attachment?.data ?? '', 'base64'), at: new Date().toISOString() });
  packages.set(name, releases);
  response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
}

function documentAt(registry: Registry, path: string): string | undefined {
  if (path === '-/npm/v1/keys') return JSON.stringify(registry.keys);
  const attested = /^-\/npm\/v1\/attestations\/(.+)$/.exec(path)?.[1];
  if (attested !== undefined) return JSON.stringify({ attestations: [{ predicateType: 'https://predicate.example/v1', bundle: { of: attested } }] });
  const [, name = '', version = ''] = /^((?:@[^/]+\/)?[^/@]+)\/([^/]+)$/.exec(path) ?? [];
  const asked = registry.packages.get(name)?.get(version);
  if (asked !== undefined) return JSON.stringify(manifestOf(registry, asked));
  const releases = [...(registry.packages.get(path)?.entries() ?? [])].sort(([, a], [, b]) => (a.at < b.at ? -1 : 1));
  if (releases.length === 0) return undefined;
  const times = releases.map(([version, { at }]) => [version, at] as const);
  return JSON.stringify({
    name: path,
    'dist-tags': { latest: times.at(-1)?.[0] },
    versions: Object.fromEntries(releases.map(([version, release]) => [version, manifestOf(registry, release)])),
    time: { created: times[0]?.[1], modified: times.at(-1)?.[1], ...Object.fromEntries(times) },
  });
}

/** What npm sent, with the digests of what is there now, an address of ours, a signature and the promise of attestations. */
function manifestOf({ address, key, keys }: Registry, { manifest, tarball }: Release): object {
  const { name, version, dist } = manifest;
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const signature = sign('sha256', Buffer.from(`${name}@${version}:${integrity}`), key).toString('base64');
  return {
    ...manifest,
    dist: {
      ...dist,
      integrity,
      shasum: createHash('sha1').update(tarball).digest('hex'),
      tarball: `${address}/${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`,
      signatures: [{ keyid: keys.keys[0]?.keyid, sig: signature }],
      attestations: { url: `${address}/-/npm/v1/attestations/${name.replace('/', '%2f')}@${version}` },
    },
  };
}
