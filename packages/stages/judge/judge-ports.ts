import type { Ecosystem } from '@granary/contract/ecosystem';
import type { BlobStore, Catalog, FactSink } from '@granary/contract/ports';

export interface JudgePorts {
  readonly ecosystem: Ecosystem;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly sink: FactSink;
}
