import type { Config } from '@granary/config';
import type { Advisories, Catalog, CatalogFold, Readers, Repositories, Store } from '@granary/contract/ports';
import { systemClock } from '@granary/driver-queue-memory';
import { ecosystems } from '@granary/ecosystems';
import { type Gauge, openServe, type PullThrough, type Redirects, type Serve } from '@granary/stage-serve';
import { siteEvidence } from '../verify/index.ts';

export interface ServedArchive {
  readonly config: Config;
  readonly catalog: Catalog & CatalogFold;
  /** The public one. */
  readonly store: Store;
  /** Text of `granary.pub`. */
  readonly publicKey: string;
  readonly origin: string;
  readonly redirects?: Redirects | undefined;
  readonly gauges?: readonly Gauge[];
  /** Where this process reaches upstreams, and the configuration lets clients fetch through it. */
  readonly pull?: PullThrough | undefined;
  /** Where the configuration names a folder of them. */
  readonly advisories?: Advisories | undefined;
  /** Where this process serves them. */
  readonly repositories?: Repositories | undefined;
  /** Who may read, where the configuration says that not everybody may. */
  readonly readers: Readers & { readonly missing?: () => string | undefined };
}

/** The public side of a site, as a handler: the same for `up` and for a node that only serves. */
export function serveArchive({
  config,
  catalog,
  store,
  publicKey,
  origin,
  redirects,
  gauges = [],
  pull,
  advisories,
  repositories,
  readers,
}: ServedArchive): Serve {
  const evidence = siteEvidence({ catalog, objects: store.objects, publicKey });
  const { minAgeDays, ...policy } = config.verified;
  const isRestricted = config.readers === 'registered';
  return openServe({
    catalog,
    blobs: store.blobs,
    objects: store.objects,
    clock: systemClock(),
    ecosystems,
    site: { publicUrl: publicUrlOf(config), origin, defaultView: 'all', policy: { ...policy, ...(minAgeDays === undefined ? {} : { minAgeDays }) } },
    ledgerSize: () => catalog.size(origin),
    bundlesOf: evidence.bundlesOf,
    keys: evidence.keys,
    notReady: () => [
      ...catalog.unknownCritical().map((kind) => `the ledger holds facts of a kind that this version doesn't know: ${kind}`),
      ...[isRestricted ? readers.missing?.() : undefined].filter((why) => why !== undefined),
    ],
    gauges,
    redirects,
    pull,
    advisories,
    repositories,
    readers: isRestricted ? readers : undefined,
  });
}

/** What clients reach it by. */
export function publicUrlOf({ publicUrl, listen }: Pick<Config, 'publicUrl' | 'listen'>): string {
  return publicUrl?.replace(/\/+$/, '') ?? `http://${listen}`;
}

export function parseListen(listen: string): { readonly host: string; readonly port: number } {
  const at = listen.lastIndexOf(':');
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) };
}
