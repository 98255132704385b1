import type { CurrentDocument, PackageDocument } from '@granary/contract/ecosystem';
import { StoreError } from '@granary/contract/ports';
import { ObservedBody, type Purl, type Sha256, sha256 } from '@granary/core/model';
import type { Observation } from './observe.ts';
import type { SyncPorts } from './sync-ports.ts';

/** Index documents as upstream has them now, for resolving: nothing in them counts as mirrored. */
export interface UpstreamDocuments {
  /** Undefined when upstream has no such package. */
  current(packagePurl: Purl): Promise<UpstreamDocument | undefined>;
}
export interface UpstreamDocument extends CurrentDocument {
  readonly package: Purl;
  /** Of the bytes, as an `observed` fact would name them. */
  readonly sha256: Sha256;
}

export interface UpstreamDocumentPorts extends Pick<SyncPorts, 'upstreamBase' | 'upstream' | 'blobs' | 'catalog' | 'clock'> {
  readonly ecosystem: Pick<SyncPorts['ecosystem'], 'index'>;
  /** Looks at a package that is on record already: what is resolved on is then what is observed, and not a third state between two looks. */
  readonly observe: (packagePurl: Purl) => Promise<Observation>;
  /** How long a document is taken as current. */
  readonly maxAgeMs: number;
}

interface Held {
  readonly upstream: UpstreamDocument;
  readonly etag: string | undefined;
  readonly at: number;
}

/** Of the documents as they were sent: the last ones asked for. */
const MAX_HELD_BYTES = 128 * 2 ** 20;
/** Parsed they take several times as much: of those that are looked at again, only the last are kept so. */
const MAX_PARSED_BYTES = 16 * 2 ** 20;

export function openUpstreamDocuments(ports: UpstreamDocumentPorts): UpstreamDocuments {
  const held = new Map<Purl, Held>();
  const underWay = new Map<Purl, Promise<Held | undefined>>();
  const readable = openReadable(ports.ecosystem.index);
  return {
    async current(packagePurl) {
      const known = held.get(packagePurl);
      if (known !== undefined && isCurrent(ports, known)) return known.upstream;
      const running = underWay.get(packagePurl);
      if (running !== undefined) return (await running)?.upstream;
      const started = fetchDocument({ ...ports, readable }, packagePurl, known).finally(() => underWay.delete(packagePurl));
      underWay.set(packagePurl, started);
      const fetched = await started;
      held.delete(packagePurl);
      if (fetched !== undefined) held.set(packagePurl, fetched);
      forgetOldest(held);
      return fetched?.upstream;
    },
  };
}

function forgetOldest(held: Map<Purl, Held>): void {
  let total = held.values().reduce((sum, { upstream }) => sum + upstream.bytes.length, 0);
  for (const [packagePurl, { upstream }] of held) {
    if (total <= MAX_HELD_BYTES) return;
    held.delete(packagePurl);
    total -= upstream.bytes.length;
  }
}

function isCurrent({ catalog, clock, maxAgeMs }: UpstreamDocumentPorts, known: Held): boolean {
  const observed = catalog.current('observed', known.upstream.package);
  const isOnRecord = observed === undefined || ObservedBody.parse(observed.entry.body).document === known.upstream.sha256;
  return isOnRecord && Date.parse(clock.now()) - known.at < maxAgeMs;
}

interface FetchPorts extends UpstreamDocumentPorts {
  readonly readable: (document: Source) => UpstreamDocument;
}

async function fetchDocument(ports: FetchPorts, packagePurl: Purl, known: Held | undefined): Promise<Held | undefined> {
  const at = Date.parse(ports.clock.now());
  const isObserved = ports.catalog.current('observed', packagePurl) !== undefined;
  return isObserved ? await observeDocument(ports, packagePurl, { known, at }) : await fetchUnobserved(ports, packagePurl, { known, at });
}

interface Earlier {
  readonly known: Held | undefined;
  readonly at: number;
}

async function observeDocument(ports: FetchPorts, packagePurl: Purl, { known, at }: Earlier): Promise<Held | undefined> {
  const observation = await ports.observe(packagePurl);
  const fact = ports.catalog.current('observed', packagePurl);
  if (observation.type === 'absent' || fact === undefined) return undefined;
  const { document, sizeBytes, url, mediaType, run } = ObservedBody.parse(fact.entry.body);
  if (known?.upstream.sha256 === document) return { ...known, at };
  const bytes = await ports.blobs.read(document, sizeBytes);
  if (bytes === undefined) throw new StoreError('unreachable', `read index document ${document} of ${packagePurl}: not in the store`);
  return { upstream: ports.readable({ bytes, url, contentType: mediaType, package: packagePurl }), etag: run?.etag, at };
}

async function fetchUnobserved(ports: FetchPorts, packagePurl: Purl, { known, at }: Earlier): Promise<Held | undefined> {
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
  return { upstream: ports.readable(document), etag: response.etag, at };
}

type Source = Pick<UpstreamDocument, 'bytes' | 'url' | 'contentType' | 'package'>;

/** Parses each at once, so that what can't be read is refused; after that when somebody looks, where it isn't kept parsed. */
function openReadable(index: UpstreamDocumentPorts['ecosystem']['index']): (document: Source) => UpstreamDocument {
  const parsed = new Map<UpstreamDocument, PackageDocument>();
  let total = 0;
  const keep = (of: UpstreamDocument, document: PackageDocument) => {
    parsed.set(of, document);
    total += of.bytes.length;
    for (const [oldest] of parsed) {
      if (total <= MAX_PARSED_BYTES || oldest === of) return;
      parsed.delete(oldest);
      total -= oldest.bytes.length;
    }
  };
  return (source) => {
    const readable: UpstreamDocument = {
      ...source,
      sha256: sha256(source.bytes),
      get document() {
        const known = parsed.get(readable);
        if (known !== undefined) return known;
        const document = index.parse(source.bytes, source);
        keep(readable, document);
        return document;
      },
    };
    keep(readable, index.parse(source.bytes, source));
    return readable;
  };
}
