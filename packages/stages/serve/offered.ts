import type { PackageDocument, PackageView, UpstreamArtifact, ViewFile } from '@granary/contract/ecosystem';
import type { Purl } from '@granary/core/model';
import { type Holding, quarantineOf } from './holding.ts';

/**
 * What upstream lists and nobody fetched yet. Not what is held with other bytes: the first ones stay. Not what is quarantined, or may not
 * be fetched.
 */
export function offeredFiles(document: PackageDocument, holding: Holding, permits: (purl: Purl) => boolean): readonly UpstreamArtifact[] {
  const held = new Set(holding.files.map(({ purl }) => purl));
  const isOffered = (purl: Purl) => quarantineOf(holding, purl) === undefined && permits(purl);
  return document.artifacts.filter(({ purl, path }) => !held.has(purl) && !holding.byPath.has(path) && isOffered(purl));
}

/** A view with them in it, in upstream's order. */
export function withOffered(view: PackageView, offered: readonly UpstreamArtifact[], document: PackageDocument): PackageView {
  if (offered.length === 0) return view;
  const position = new Map(document.artifacts.map(({ purl }, index) => [purl, index]));
  const rank = ({ purl }: ViewFile) => position.get(purl) ?? Number.MAX_SAFE_INTEGER;
  const files = offered.map(
    ({ purl, fileName, path, digests: { sha256 }, sizeBytes }): ViewFile => ({
      purl,
      fileName,
      path,
      document: view.document,
      companions: [],
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
    }),
  );
  return { ...view, files: [...view.files, ...files].sort((a, b) => rank(a) - rank(b)) };
}
