import { type Artifact, StoredBody } from '@granary/core/model';
import type { Catalog } from '../ports/index.ts';

/** What a closure comes to, as far as it is known: many registries don't state how large a file is before it is fetched. */
export interface ClosureSize {
  readonly files: number;
  /** Of those files whose size is known. */
  readonly bytes: number;
  readonly unknownSizes: number;
  readonly held: { readonly files: number; readonly bytes: number };
}

/** Each file counts once, whatever it is wanted for. */
export function closureSize(catalog: Pick<Catalog, 'current'>, artifacts: readonly Artifact[]): ClosureSize {
  const size = { files: 0, bytes: 0, unknownSizes: 0, held: { files: 0, bytes: 0 } };
  for (const { purl, sizeBytes } of new Map(artifacts.map((artifact) => [artifact.purl, artifact])).values()) {
    const fact = catalog.current('stored', purl);
    const stored = fact === undefined ? undefined : StoredBody.parse(fact.entry.body).sizeBytes;
    const known = stored ?? sizeBytes;
    size.files += 1;
    size.bytes += known ?? 0;
    if (known === undefined) size.unknownSizes += 1;
    if (stored === undefined) continue;
    size.held.files += 1;
    size.held.bytes += stored;
  }
  return size;
}

/** Why a closure isn't taken in, for people; undefined when it is within its quota as far as sizes are known. */
export function overQuota({ files, bytes, unknownSizes }: ClosureSize, quotaBytes: number | undefined): string | undefined {
  if (quotaBytes === undefined || bytes <= quotaBytes) return undefined;
  const unknown = unknownSizes === 0 ? '' : ` and ${unknownSizes} of unknown size`;
  return `above its quota: ${files} files of ${bytes} bytes${unknown}, the quota is ${quotaBytes} bytes`;
}
