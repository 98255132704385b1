import { type PinnedArtifact, purlParts, StoredBody, toPurl } from '@granary/core/model';
import type { CatalogFact } from '../ports/index.ts';

/** The artifact that a `stored` fact is about. */
export function storedArtifact(fact: CatalogFact): PinnedArtifact {
  const body = StoredBody.parse(fact.entry.body);
  const purl = toPurl(fact.entry.subject);
  return {
    purl,
    fileName: purlParts(purl).fileName ?? '',
    sha256: body.sha256,
    digests: { ...body.digests, sha256: body.sha256 },
    sizeBytes: body.sizeBytes,
    path: body.path,
    ...(body.publishedAt === undefined ? {} : { publishedAt: body.publishedAt }),
  };
}
