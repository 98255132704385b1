import type { LargeFile } from '@granary/core/lfs';
import { formatPurl, type Purl, purlParts, type Sha256, StoredBody } from '@granary/core/model';
import type { AtSize, Catalog } from '../ports/index.ts';

/** Of the names of large files, which are files of their repository as packs are. */
const PREFIX = 'lfs-';

export function largeFileName(oid: Sha256): string {
  return `${PREFIX}${oid}`;
}

export function largeFilePurl(repository: Purl, oid: Sha256): Purl {
  const { type, namespace, name } = purlParts(repository);
  return formatPurl({ type, name, fileName: largeFileName(oid), ...(namespace === undefined ? {} : { namespace }) });
}

/** A large file as it is on record; undefined where it isn't. */
export function heldLargeFile(catalog: Pick<Catalog, 'current'>, repository: Purl, oid: Sha256, at: AtSize = {}): LargeFile | undefined {
  const fact = catalog.current('stored', largeFilePurl(repository, oid), at);
  if (fact === undefined) return undefined;
  const { sha256, sizeBytes } = StoredBody.parse(fact.entry.body);
  return { oid: sha256, sizeBytes };
}

/** The sizes of all large files of a repository that are on record, by digest. */
export function heldLargeFiles(catalog: Pick<Catalog, 'ofPackage'>, repository: Purl): ReadonlyMap<Sha256, number> {
  return new Map(
    catalog.ofPackage('stored', repository).flatMap(({ entry }) => {
      const { sha256, sizeBytes, path } = StoredBody.parse(entry.body);
      return path === largeFileName(sha256) ? [[sha256, sizeBytes] as const] : [];
    }),
  );
}
