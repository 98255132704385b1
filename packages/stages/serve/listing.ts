import type { PackageDocument, PackageDocuments, PackageIndex, PackageView, ViewFile } from '@granary/contract/ecosystem';
import type { BlobStore, Catalog, CatalogFact } from '@granary/contract/ports';
import { digestsAgree, type Instant, ObservedBody, packageOf, purlParts, type Sha256 } from '@granary/core/model';
import type { HeldFile, Holding } from './holding.ts';

/** Which documents speak for which files: what an index page is rendered from, still without bytes. */
export interface Listing {
  /** The observation that speaks for the package. */
  readonly anchor: CatalogFact;
  readonly files: readonly ListedHolding[];
  /** The anchor was first seen after the moment asked for. */
  readonly reconstructed: boolean;
}
interface ListedHolding {
  readonly held: HeldFile;
  readonly observed: CatalogFact;
  readonly vanishedAt?: Instant;
}
export interface ListingPorts {
  readonly catalog: Catalog;
  readonly documents: PackageDocuments;
  /** What upstream may have without listing it. */
  readonly unlisted: PackageIndex['unlisted'];
}

/**
 * Every file held that is not quarantined, at a moment or now. A file that the document of the moment doesn't list counts by the last
 * one before it that did, as vanished; or else by the first one after it, if it was published by then: we looked too late. One that no
 * document ever listed counts where upstream may have files without listing them.
 * Undefined when upstream's index was never observed.
 */
export async function listHolding(
  ports: ListingPorts,
  holding: Holding,
  moment: { readonly time?: Instant; readonly size?: number },
): Promise<Listing | undefined> {
  const { time, size } = moment;
  const history = ports.catalog.ofPackage('observed', holding.package, { history: true, ...(size === undefined ? {} : { size }) });
  const current = time === undefined ? history.length - 1 : history.findLastIndex(({ entry }) => entry.at <= time);
  const at = Math.max(0, current);
  const anchor = history[at];
  if (anchor === undefined || holding.quarantine !== undefined) return undefined;
  const wanted = holding.files.filter((file) => file.quarantine === undefined && (time === undefined || (file.publishedAt ?? '') <= time));
  const found = new Map<string, ListedHolding>();
  for (const { fact, standing } of fromNearest(history, at)) {
    const missing = wanted.filter((file) => !found.has(file.fileName));
    if (missing.length === 0) break;
    const document = await ports.documents.of(fact);
    for (const held of matching(document, missing)) {
      const entry = listed(held, fact, { standing, anchor, time });
      if (entry !== undefined) found.set(held.fileName, entry);
    }
  }
  for (const held of wanted) {
    if (found.has(held.fileName) || !isNeverListed(ports, held)) continue;
    const entry = listed(held, anchor, { standing: 'anchor', anchor, time });
    if (entry !== undefined) found.set(held.fileName, entry);
  }
  return { anchor, files: inAnchorOrder(await ports.documents.of(anchor), [...found.values()]), reconstructed: current === -1 };
}

/** Nothing but having it tells of such a file, in no document of any time. */
function isNeverListed({ unlisted }: ListingPorts, { purl }: HeldFile): boolean {
  return unlisted?.('', packageOf(purl), purlParts(purl).version ?? '')?.some((artifact) => artifact.purl === purl) ?? false;
}

/** Adds the bytes of every document that is needed. */
export async function packageView(
  blobs: BlobStore,
  listing: Listing,
  view: { readonly holding: Holding; readonly address: string; readonly asOf?: Instant },
): Promise<PackageView> {
  const documents = new Map<Sha256, { bytes: Uint8Array; url: string; contentType: string }>();
  for (const fact of new Set([listing.anchor, ...listing.files.map(({ observed }) => observed)])) {
    const { document, sizeBytes, url, mediaType } = ObservedBody.parse(fact.entry.body);
    const bytes = documents.has(document) ? undefined : await blobs.read(document, sizeBytes);
    if (bytes !== undefined) documents.set(document, { bytes, url, contentType: mediaType });
  }
  return {
    package: view.holding.package,
    address: view.address,
    documents,
    document: ObservedBody.parse(listing.anchor.entry.body).document,
    files: listing.files.map(viewFile),
    reconstructed: listing.reconstructed,
    ...(view.asOf === undefined ? {} : { asOf: view.asOf }),
  };
}

type Standing = 'anchor' | 'before' | 'after';

/** The document of the moment, then the earlier ones, newest first, then the later ones, oldest first. */
function* fromNearest(history: readonly CatalogFact[], at: number): Iterable<{ readonly fact: CatalogFact; readonly standing: Standing }> {
  for (const [offset, fact] of history
    .slice(0, at + 1)
    .reverse()
    .entries())
    yield { fact, standing: offset === 0 ? 'anchor' : 'before' };
  for (const fact of history.slice(at + 1)) yield { fact, standing: 'after' };
}

function matching(document: PackageDocument, held: readonly HeldFile[]): readonly HeldFile[] {
  const listed = new Map(document.artifacts.map(({ purl, digests }) => [purl, digests]));
  return held.filter(({ purl, sha256, stored }) => {
    const digests = listed.get(purl);
    return digests !== undefined && digestsAgree(digests, { ...stored.digests, sha256 }) !== false;
  });
}

function listed(
  held: HeldFile,
  observed: CatalogFact,
  { standing, anchor, time }: { readonly standing: Standing; readonly anchor: CatalogFact; readonly time: Instant | undefined },
): ListedHolding | undefined {
  // Without a time of publication, only having been seen by then tells that it was there.
  if (time !== undefined && held.publishedAt === undefined && observed.entry.at > time) return undefined;
  const gone = goneAt(held, time);
  switch (standing) {
    case 'anchor':
      return { held, observed, ...(gone !== undefined && gone.index > anchor.index ? { vanishedAt: gone.at } : {}) };
    case 'before':
      return { held, observed, vanishedAt: gone?.at ?? anchor.entry.at };
    case 'after':
      return { held, observed };
  }
}

function goneAt({ vanished }: HeldFile, time: Instant | undefined): { readonly at: Instant; readonly index: number } | undefined {
  const last = vanished.findLast(({ at }) => time === undefined || at <= time);
  return last?.state === 'back' ? undefined : last;
}

/** Upstream's own order, so that whoever picks the first of equals picks the same. */
function inAnchorOrder(document: PackageDocument, files: readonly ListedHolding[]): readonly ListedHolding[] {
  const position = new Map(document.artifacts.map(({ fileName }, index) => [fileName, index]));
  const rank = ({ held }: ListedHolding) => position.get(held.fileName) ?? Number.MAX_SAFE_INTEGER;
  return [...files].sort((a, b) => rank(a) - rank(b) || (a.held.fileName < b.held.fileName ? -1 : 1));
}

function viewFile({ held, observed, vanishedAt }: ListedHolding): ViewFile {
  const { document } = ObservedBody.parse(observed.entry.body);
  const { fileName, sha256, sizeBytes, path, stored } = held;
  return {
    purl: held.purl,
    fileName,
    sha256,
    sizeBytes,
    document,
    path,
    companions: Object.keys(stored.companions ?? {}),
    ...(vanishedAt === undefined ? {} : { vanishedAt }),
    ...(stored.metadata === undefined ? {} : { metadata: stored.metadata }),
  };
}
