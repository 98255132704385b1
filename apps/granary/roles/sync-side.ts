import { type Ecosystem, openPackageDocuments } from '@granary/contract/ecosystem';
import type { AttestationVerifier, Upstream } from '@granary/contract/ports';
import { openFileAddresses, type SyncPorts } from '@granary/stage-sync';
import { type Observer, openObserver } from './observer.ts';
import type { Site } from './site.ts';

/** What looks at one upstream and takes in what it has. */
export interface SyncSide {
  readonly sync: SyncPorts;
  readonly observer: Observer;
}
export interface SyncSideParts {
  readonly site: Site;
  readonly ecosystem: Ecosystem;
  readonly upstreamBase: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly upstream: Upstream;
  readonly attestations: AttestationVerifier | undefined;
  /** Every fact that was submitted so far is sequenced and folded. */
  readonly settle: () => Promise<void>;
}

/** How long upstream is believed where its files lie. */
const ADDRESSES_MAX_AGE_MS = 300_000;

export function openSyncSide({ site, ecosystem, upstreamBase, settings, upstream, attestations, settle }: SyncSideParts): SyncSide {
  const { catalog, clock } = site;
  const { blobs } = site.publicStore;
  const sync: SyncPorts = {
    ecosystem,
    upstreamBase,
    settings,
    upstream,
    addressOf: openFileAddresses({ ecosystem, upstreamBase, upstream, clock, maxAgeMs: ADDRESSES_MAX_AGE_MS }),
    blobs,
    catalog,
    documents: openPackageDocuments({ blobs, catalog, ecosystem }),
    sink: site.sinkOf('sync'),
    clock,
    attestations,
  };
  return { sync, observer: openObserver(sync, { settle, refresh: site.refresh }) };
}
