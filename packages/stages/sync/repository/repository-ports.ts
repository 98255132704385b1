import type { BlobStore, Catalog, FactSink, PackLimits, Repositories, Upstream } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';

/** What mirroring repositories needs of the world. */
export interface RepositoryPorts {
  readonly upstream: Upstream;
  /** Where a repository is read from: its own address, unless a rule of git's configuration says otherwise. */
  readonly addressOf: (repository: Purl) => string;
  readonly repositories: Repositories;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly sink: FactSink;
  /** Of one pack. `stallMs`: how long a server may say nothing, or nearly nothing, while it packs; a quarter of an hour unless given. */
  readonly limits: PackLimits & { readonly stallMs?: number };
  /** `maxTotalBytes`: of all large files of one repository together. `timeoutMs`: of all that one look asks for. */
  readonly largeFiles: { readonly maxObjectBytes: number; readonly maxTotalBytes: number; readonly timeoutMs: number };
  /** Names of refs that are kept begin with one of these. */
  readonly refPrefixes: readonly string[];
}

/** Branches, tags and notes; a forge's refs of proposed changes are many times as many, and anybody's. */
export const DEFAULT_REF_PREFIXES: readonly string[] = ['refs/heads/', 'refs/tags/', 'refs/notes/'];
