import type { Ecosystem } from '@granary/contract/ecosystem';
import type { Advisories, BlobStore, Catalog, Clock, ObjectStore, Readers, Repositories } from '@granary/contract/ports';
import type { KeysDocument } from '@granary/core/bundle';
import type { Json, Sha256 } from '@granary/core/model';
import type { Policy } from './policy.ts';
import type { PullThrough } from './pull-through.ts';

/** What serving needs to know of an ecosystem. */
export type ServedEcosystem = Pick<Ecosystem, 'id' | 'index' | 'views'>;

export interface Site {
  /** Where clients reach us, without a slash at the end: stands in refusals. */
  readonly publicUrl: string;
  /** Origin of the public ledger. */
  readonly origin: string;
  /** What `/<ecosystem>/…` shows. */
  readonly defaultView: 'all' | 'verified';
  /** What `verified` demands. */
  readonly policy: Policy;
}
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly value: () => number;
}
/** Where clients get large files themselves, instead of through this process. */
export interface Redirects {
  readonly fromBytes: number;
  /** An address that gives the file to whoever has it, for a while. */
  readonly addressOf: (digest: Sha256) => Promise<string>;
}
export interface ServePorts {
  readonly catalog: Catalog;
  /** The public store. */
  readonly blobs: BlobStore;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly ecosystems: readonly ServedEcosystem[];
  readonly site: Site;
  /** How many leaves of the public ledger are folded. */
  readonly ledgerSize: () => number;
  /** Every statement about a file, oldest first, as Sigstore bundles. */
  readonly bundlesOf: (artifact: Sha256) => Promise<readonly { readonly [name: string]: Json }[]>;
  readonly keys: () => Promise<KeysDocument>;
  /** Why the node should get no traffic; nothing when it may. */
  readonly notReady: () => readonly string[];
  readonly gauges?: readonly Gauge[];
  /** Not for clients that reach nothing but this process. */
  readonly redirects?: Redirects | undefined;
  /** Only where this process reaches upstreams, and may fetch for clients. */
  readonly pull?: PullThrough | undefined;
  /** Who may read; left out where everybody may. */
  readonly readers?: Readers | undefined;
  /** Only where repositories are served. */
  readonly repositories?: Repositories | undefined;
  /** Only where the configuration names some. */
  readonly advisories?: Advisories | undefined;
  /** Bounds of what is kept in memory. */
  readonly memory?: { readonly artifactBytes?: number; readonly documentBytes?: number; readonly holdingBytes?: number };
}
