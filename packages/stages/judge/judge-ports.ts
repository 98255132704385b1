import type { Ecosystem, WrittenDefinitions } from '@granary/contract/ecosystem';
import type { BlobStore, Catalog, FactSink, Repositories } from '@granary/contract/ports';

export interface JudgePorts {
  readonly ecosystem: Pick<Ecosystem, 'rebuilding'>;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly sink: FactSink;
  /** For what is compared with commits. */
  readonly repositories: Repositories;
  /** What operators wrote down. */
  readonly written?: WrittenDefinitions | undefined;
}
