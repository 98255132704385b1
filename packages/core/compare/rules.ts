import type { ArchiveFormat } from '../archive/index.ts';
import type { Cause } from '../model/index.ts';
import type { Normalizer } from '../normalize/index.ts';

/** Two versions of one file that differ after normalization. */
export interface DifferingFile {
  readonly path: string;
  readonly upstream: Uint8Array;
  readonly rebuild: Uint8Array;
}

/** How artifacts of one kind are compared: each ecosystem answers for its own file names. */
export interface ArtifactRules {
  readonly format: ArchiveFormat;
  /** Applied in this order. */
  readonly normalizers: readonly Normalizer[];
  /** Why such a file may differ; undefined leaves it to the comparison, which knows line endings and otherwise says `content-unexplained`. */
  causeOf(file: DifferingFile): Cause | undefined;
}
