import type { Config } from '@granary/config';
import { type Ecosystem, isRebuildable, usesResolver } from '@granary/contract/ecosystem';
import { type AttestationVerifier, JobError, type Repositories, type Sandbox, type Upstream } from '@granary/contract/ports';
import { attest, readJudged } from '@granary/stage-attest';
import type { DemandedEcosystem } from '@granary/stage-demand';
import { askUpstream, openUpstreamDocuments, type SyncPorts } from '@granary/stage-sync';
import type { Definitions } from './definitions.ts';
import type { RootfsMaker } from './environment.ts';
import type { EcosystemStages } from './handlers.ts';
import { openInstallTrials } from './install-trials.ts';
import type { MirrorSockets } from './mirror-sockets.ts';
import { type Observer, observeOrRetry } from './observer.ts';
import { policyOf } from './policy.ts';
import { openRebuildStation, type RebuildStation } from './rebuild-station.ts';
import type { Site } from './site.ts';
import { openSyncSide } from './sync-side.ts';

/** What faces upstream for one ecosystem: everything that the queue's jobs need. */
export interface Station extends AsyncDisposable {
  readonly stages: EcosystemStages;
  readonly demanded: DemandedEcosystem;
  readonly observer: Observer;
  /** Makes what rebuilding needs, where the ecosystem can: else the first job that needs it does. */
  readonly prepare: () => Promise<void>;
}
export interface StationParts {
  readonly config: Config;
  readonly site: Site;
  readonly ecosystem: Ecosystem;
  readonly upstreamBase: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly upstream: Upstream;
  readonly attestations: AttestationVerifier | undefined;
  readonly sandbox: Sandbox;
  readonly repositories: Repositories;
  readonly rootfs: RootfsMaker;
  readonly mirrors: MirrorSockets;
  readonly definitions: Definitions | undefined;
  /** Every fact that was submitted so far is sequenced, and the scheduler told. */
  readonly settle: () => Promise<void>;
  readonly note: (text: string) => void;
  /** Ends the opening; what is open is ended by disposing. */
  readonly signal: AbortSignal;
}

/** How long an index document is taken as current when requirements are resolved. */
const DOCUMENT_MAX_AGE_MS = 30_000;

export function openStation(parts: StationParts): Station {
  const { ecosystem, upstreamBase } = parts;
  const { sync, observer } = openSyncSide(parts);
  const documents = openUpstreamDocuments({ ...sync, observe: (purl) => observer.observe(purl), maxAgeMs: DOCUMENT_MAX_AGE_MS });
  const rebuilding = openOnce(async () => {
    if (!isRebuildable(ecosystem)) throw new JobError('never', `rebuild: ${ecosystem.id} packages can't be rebuilt yet`);
    return await openRebuildStation({ ...parts, ecosystem }, { sync, observer, documents });
  });
  const demanded: DemandedEcosystem = {
    ecosystem,
    upstreamBase,
    current: (purl) => documents.current(purl),
    resolve: async (requirements, signal) =>
      (await ecosystem.demand.resolve?.(requirements, (purl) => documents.current(purl), askUpstream(sync, signal))) ??
      (await (await rebuilding.value()).resolve(requirements, signal)),
  };
  return {
    stages: stagesOf(parts, { sync, observer, rebuilding: rebuilding.value, installing: openInstallTrials(parts, { sync, observer }) }),
    demanded,
    observer,
    // Others need an environment once something of theirs is built.
    prepare: async () => void (usesResolver(ecosystem) && (await rebuilding.value())),
    [Symbol.asyncDispose]: rebuilding[Symbol.asyncDispose],
  };
}

interface Opened {
  readonly sync: SyncPorts;
  readonly observer: Observer;
  readonly rebuilding: () => Promise<RebuildStation>;
  readonly installing: EcosystemStages['installing'];
}

function stagesOf(
  { config, site, ecosystem, repositories, definitions: written }: StationParts,
  { sync, observer, rebuilding, installing }: Opened,
): EcosystemStages {
  const { catalog, publicStore, keys, origins } = site;
  const { blobs } = publicStore;
  const policy = policyOf(config, origins.public);
  return {
    sync,
    rebuilding,
    installing,
    judge: { ecosystem, blobs, catalog, repositories, written, sink: site.sinkOf('judge') },
    observe: (purl, signal) => observeOrRetry(observer, purl, signal),
    async attest(purl) {
      const verdict = catalog.current('verdict', purl);
      if (verdict === undefined) throw new JobError('at-once', `attest ${purl}: there is no verdict yet`);
      const judged = await readJudged({ catalog, blobs }, verdict, policy);
      await attest({ signer: keys.statement, objects: publicStore.objects, sink: site.sinkOf('attest') }, judged, origins.public);
    },
  };
}

/** Opened by whoever needs it first; what failed is tried again by the next. */
function openOnce<T extends AsyncDisposable>(open: () => Promise<T>): AsyncDisposable & { readonly value: () => Promise<T> } {
  let opened: Promise<T> | undefined;
  return {
    value() {
      opened ??= open().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    async [Symbol.asyncDispose]() {
      const value = await opened?.catch(() => undefined);
      await value?.[Symbol.asyncDispose]();
    },
  };
}
