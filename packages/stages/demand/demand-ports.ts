import type { CurrentDocument, Ecosystem } from '@granary/contract/ecosystem';
import type { BlobStore, Catalog, FactSink, Resolution } from '@granary/contract/ports';
import type { Purl, Sha256 } from '@granary/core/model';

/** What demand needs of the world. */
export interface DemandPorts {
  readonly ecosystems: readonly DemandedEcosystem[];
  /** Watch lists are the operator's business: of the private store. */
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly sink: FactSink;
}

export interface DemandedEcosystem {
  readonly ecosystem: Ecosystem;
  readonly upstreamBase: string;
  /** Upstream's index as it is now. */
  readonly current: (packagePurl: Purl) => Promise<(CurrentDocument & { readonly sha256: Sha256 }) | undefined>;
  /** Exact versions for requirements in the ecosystem's own words, on any platform. */
  readonly resolve: (requirements: readonly string[], signal: AbortSignal | undefined) => Promise<Resolution>;
}
