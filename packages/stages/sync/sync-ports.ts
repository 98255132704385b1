import type { Ecosystem, PackageDocuments } from '@granary/contract/ecosystem';
import type { AttestationVerifier, BlobStore, Catalog, Clock, FactSink, Upstream } from '@granary/contract/ports';
import type { AddressOf } from './file-addresses.ts';

/** What sync needs of the world, for one ecosystem. */
export interface SyncPorts {
  readonly ecosystem: Ecosystem;
  /** Where the ecosystem's index documents begin: discovered, never written in code. */
  readonly upstreamBase: string;
  /** What else was discovered or configured, by the package manager's own names. */
  readonly settings: Readonly<Record<string, string>>;
  readonly upstream: Upstream;
  readonly addressOf: AddressOf;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly documents: PackageDocuments;
  readonly sink: FactSink;
  readonly clock: Clock;
  /** Undefined where no roots of trust are configured: what publishers attested is kept, and not believed. */
  readonly attestations?: AttestationVerifier | undefined;
}
