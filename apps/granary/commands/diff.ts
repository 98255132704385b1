import type { BlobStore, Catalog } from '@granary/contract/ports';
import { type Comparison, decodeComparison, explainComparison } from '@granary/core/compare';
import { VerdictBody } from '@granary/core/model';
import { AppError } from '../app-error.ts';
import { findArtifacts } from './find-artifacts.ts';

const MAX_COMPARISON_BYTES = 64 * 2 ** 20;

export interface ArtifactDiff {
  readonly purl: string;
  readonly comparison: Comparison;
}

/** The comparisons behind the verdicts on what a purl names. Throws AppError `not-found` when none of it was compared. */
export async function readDiffs(ports: { readonly catalog: Catalog; readonly blobs: BlobStore }, purl: string): Promise<readonly ArtifactDiff[]> {
  const diffs: ArtifactDiff[] = [];
  for (const { artifact } of findArtifacts(ports.catalog, purl)) {
    const verdict = ports.catalog.current('verdict', artifact.purl);
    const digest = verdict === undefined ? undefined : VerdictBody.parse(verdict.entry.body).comparison;
    const bytes = digest === undefined ? undefined : await ports.blobs.read(digest, MAX_COMPARISON_BYTES);
    const comparison = bytes === undefined ? undefined : decodeComparison(bytes);
    if (comparison !== undefined) diffs.push({ purl: artifact.purl, comparison });
  }
  if (diffs.length === 0) throw new AppError('not-found', `${purl}: nothing of it was compared; granary why ${purl} says how far it came`);
  return diffs;
}

export function formatDiff({ purl, comparison }: ArtifactDiff): string {
  return `${purl}\n${explainComparison(comparison)}`;
}
