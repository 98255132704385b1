import { ObservedBody, type Purl, packageOf, type Sha256, toPurl } from '@granary/core/model';
import { type BlobStore, type Catalog, type CatalogFact, StoreError } from '../ports/index.ts';
import type { Ecosystem, PackageDocument } from './ecosystem.ts';

/** Index documents that were observed, parsed: the bytes behind `observed` facts. */
export interface PackageDocuments {
  /** The newest one; undefined when the package was never observed. */
  current(packagePurl: Purl): Promise<PackageDocument | undefined>;
  /** The one that a fact names. */
  of(fact: CatalogFact): Promise<PackageDocument>;
}

/** Parsed documents are immutable: the last `keep` of them are kept in memory. */
export function openPackageDocuments(
  ports: { readonly blobs: BlobStore; readonly catalog: Catalog; readonly ecosystem: Pick<Ecosystem, 'index'> },
  keep = 64,
): PackageDocuments {
  // By fact, not by digest: the lists of two packages may be equal.
  const parsed = new Map<Sha256, PackageDocument>();
  const of = async (fact: CatalogFact): Promise<PackageDocument> => {
    const body = ObservedBody.parse(fact.entry.body);
    const known = parsed.get(fact.key);
    if (known !== undefined) return known;
    const bytes = await ports.blobs.read(body.document, ports.ecosystem.index.maxDocumentBytes);
    if (bytes === undefined) throw new StoreError('unreachable', `read index document ${body.document} of ${fact.entry.subject}: not in the store`);
    const document = ports.ecosystem.index.parse(bytes, { url: body.url, contentType: body.mediaType, package: packageOf(toPurl(fact.entry.subject)) });
    parsed.set(fact.key, document);
    if (parsed.size > keep) parsed.delete(parsed.keys().next().value ?? fact.key);
    return document;
  };
  return {
    of,
    async current(packagePurl) {
      // Remembered, unlike what follows.
      if (ports.catalog.revisionOf(packagePurl) === 0) return undefined;
      const fact = ports.catalog.current('observed', packagePurl);
      return fact === undefined ? undefined : await of(fact);
    },
  };
}
