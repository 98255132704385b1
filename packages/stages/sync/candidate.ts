import type { CandidateFile, PackageDocument } from '@granary/contract/ecosystem';
import { JobError, StoreError } from '@granary/contract/ports';
import { ObservedBody, type Purl, parseSha256, type Sha256, sha256 } from '@granary/core/model';
import type { Observation } from './observe.ts';
import type { SyncPorts } from './sync-ports.ts';

/** Upstream as it stands now, whole, for resolving: nothing in it counts as mirrored. */
export interface CandidateView {
  /** Answers the resolver. Paths: `simple/<package>/` and `files/<sha256>/<origin>/<file name>.metadata`. */
  handle(request: Request): Promise<Response>;
  /** What upstream lists of a package; undefined when it has no such package. */
  document(packagePurl: Purl): Promise<CandidateDocument | undefined>;
}

export interface CandidateDocument {
  readonly document: PackageDocument;
  /** Of the bytes, as an `observed` fact would name them. */
  readonly sha256: Sha256;
}

export interface CandidatePorts extends Pick<SyncPorts, 'upstreamBase' | 'upstream' | 'blobs' | 'catalog' | 'clock'> {
  readonly ecosystem: Pick<SyncPorts['ecosystem'], 'index' | 'candidate' | 'declared'>;
  /** Looks at a package that is on record already: what is resolved on is then what is observed, and not a third state between two looks. */
  readonly observe: (packagePurl: Purl) => Promise<Observation>;
  /** Metadata of a release that has only source archives: its build tells, in the sandbox. Undefined when that fails. */
  readonly buildMetadata: (archive: CandidateFile['artifact']) => Promise<Uint8Array | undefined>;
  /** How long a document is taken as current. */
  readonly maxAgeMs: number;
}

interface Held {
  readonly bytes: Uint8Array;
  readonly url: string;
  readonly contentType: string;
  readonly package: Purl;
  readonly parsed: PackageDocument;
  readonly sha256: Sha256;
  readonly etag: string | undefined;
  readonly at: number;
}

const MAX_WHEEL_BYTES = 128 * 2 ** 20;
const MAX_HELD = 512;

export function openCandidateView(ports: CandidatePorts): CandidateView {
  const held = new Map<Purl, Held>();
  const underWay = new Map<Purl, Promise<Held | undefined>>();
  const metadata = new Map<string, Promise<Uint8Array | undefined>>();

  const current = async (packagePurl: Purl): Promise<Held | undefined> => {
    const known = held.get(packagePurl);
    if (known !== undefined && isCurrent(ports, known)) return known;
    const running = underWay.get(packagePurl);
    if (running !== undefined) return await running;
    const started = fetchDocument(ports, packagePurl, known).finally(() => underWay.delete(packagePurl));
    underWay.set(packagePurl, started);
    const fetched = await started;
    held.delete(packagePurl);
    if (fetched !== undefined) held.set(packagePurl, fetched);
    if (held.size > MAX_HELD) held.delete(held.keys().next().value ?? packagePurl);
    return fetched;
  };

  return {
    async document(packagePurl) {
      const found = await current(packagePurl);
      return found === undefined ? undefined : { document: found.parsed, sha256: found.sha256 };
    },
    async handle(request) {
      const path = decodeURIComponent(new URL(request.url).pathname).replace(/^\/+/, '');
      const packagePurl = ports.ecosystem.candidate.packageOfPath(path);
      if (packagePurl !== undefined) return packageResponse(ports, await current(packagePurl));
      return await metadataResponse(ports, path, { held, metadata });
    },
  };
}

function isCurrent({ catalog, clock, maxAgeMs }: CandidatePorts, known: Held): boolean {
  const observed = catalog.current('observed', known.package);
  const isOnRecord = observed === undefined || ObservedBody.parse(observed.entry.body).document === known.sha256;
  return isOnRecord && Date.parse(clock.now()) - known.at < maxAgeMs;
}

async function fetchDocument(ports: CandidatePorts, packagePurl: Purl, known: Held | undefined): Promise<Held | undefined> {
  const at = Date.parse(ports.clock.now());
  const isObserved = ports.catalog.current('observed', packagePurl) !== undefined;
  return isObserved ? await observeDocument(ports, packagePurl, { known, at }) : await fetchUnobserved(ports, packagePurl, { known, at });
}

interface Earlier {
  readonly known: Held | undefined;
  readonly at: number;
}

async function observeDocument(ports: CandidatePorts, packagePurl: Purl, { known, at }: Earlier): Promise<Held | undefined> {
  const observation = await ports.observe(packagePurl);
  const fact = ports.catalog.current('observed', packagePurl);
  if (observation.type === 'absent' || fact === undefined) return undefined;
  const { document, sizeBytes, url, mediaType, run } = ObservedBody.parse(fact.entry.body);
  if (known?.sha256 === document) return { ...known, at };
  const bytes = await ports.blobs.read(document, sizeBytes);
  if (bytes === undefined) throw new StoreError('unreachable', `read index document ${document} of ${packagePurl}: not in the store`);
  return toHeld(ports, { bytes, url, contentType: mediaType, package: packagePurl }, { etag: run?.etag, at });
}

async function fetchUnobserved(ports: CandidatePorts, packagePurl: Purl, { known, at }: Earlier): Promise<Held | undefined> {
  const { index } = ports.ecosystem;
  const response = await ports.upstream.open({
    url: index.documentUrl(ports.upstreamBase, packagePurl),
    accept: index.accept,
    maxBytes: index.maxDocumentBytes,
    ...(known?.etag === undefined ? {} : { etag: known.etag }),
  });
  if (response.status === 'not-modified') return known === undefined ? undefined : { ...known, at };
  if (response.status === 'not-found') return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const document = { bytes: Buffer.concat(chunks), url: response.url, contentType: response.contentType, package: packagePurl };
  return toHeld(ports, document, { etag: response.etag, at });
}

function toHeld(
  { ecosystem }: CandidatePorts,
  document: Pick<Held, 'bytes' | 'url' | 'contentType' | 'package'>,
  seen: { readonly etag: string | undefined; readonly at: number },
): Held {
  return { ...document, ...seen, parsed: ecosystem.index.parse(document.bytes, document), sha256: sha256(document.bytes) };
}

function packageResponse(ports: CandidatePorts, document: Held | undefined): Response {
  if (document === undefined) return new Response('no such package upstream', { status: 404 });
  const body = ports.ecosystem.candidate.render(
    document,
    ({ artifact, origin }, fileName) => `../../files/${artifact.sha256}/${origin}/${encodeURIComponent(fileName)}`,
  );
  return new Response(Buffer.from(body), { headers: { 'content-type': ports.ecosystem.candidate.mediaType } });
}

async function metadataResponse(
  ports: CandidatePorts,
  path: string,
  state: { readonly held: ReadonlyMap<Purl, Held>; readonly metadata: Map<string, Promise<Uint8Array | undefined>> },
): Promise<Response> {
  const [, digest = '', origin = ''] = /^files\/([0-9a-f]{64})\/(published|stand-in)\/[^/]+\.metadata$/.exec(path) ?? [];
  const archive = parseSha256(digest);
  const file = archive === undefined ? undefined : findFile(ports, state.held, archive, origin);
  if (file === undefined) return new Response('the candidate view serves indexes and metadata only', { status: 404 });
  const key = `${origin} ${digest}`;
  const found = state.metadata.get(key) ?? readMetadata(ports, file);
  state.metadata.set(key, found);
  // A failure is not remembered: the next resolution asks again.
  const bytes = await found.catch((error: unknown) => {
    state.metadata.delete(key);
    throw error;
  });
  return bytes === undefined
    ? new Response('no metadata can be had', { status: 404 })
    : new Response(Buffer.from(bytes), { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

function findFile(ports: CandidatePorts, held: ReadonlyMap<Purl, Held>, digest: Sha256, origin: string): CandidateFile | undefined {
  for (const { parsed } of held.values()) {
    if (!parsed.artifacts.some((artifact) => artifact.sha256 === digest)) continue;
    const file = ports.ecosystem.candidate.files(parsed).find((candidate) => candidate.artifact.sha256 === digest && candidate.origin === origin);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** The archive is stored on the way: what is resolved is most often wanted next. */
async function readMetadata(ports: CandidatePorts, { artifact, origin }: CandidateFile): Promise<Uint8Array | undefined> {
  if ((await ports.blobs.size(artifact.sha256)) === undefined) {
    const response = await ports.upstream.open({ url: artifact.url, maxBytes: MAX_WHEEL_BYTES });
    if (response.status !== 'ok') throw new JobError('later', `fetch ${artifact.purl}: upstream lists ${artifact.url} but doesn't have it`);
    await ports.blobs.put(response.body, { digests: artifact.digests, maxBytes: MAX_WHEEL_BYTES });
  }
  if (origin === 'stand-in') return await ports.buildMetadata(artifact);
  const bytes = await ports.blobs.read(artifact.sha256, MAX_WHEEL_BYTES);
  return bytes === undefined ? undefined : (await ports.ecosystem.declared(artifact, bytes)).metadata;
}
