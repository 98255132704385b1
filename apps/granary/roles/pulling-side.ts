import type { Purl } from '@granary/core/model';
import { openSpool } from '@granary/driver-store-fs';
import type { PullThrough } from '@granary/stage-serve';
import {
  type Arrivals,
  type Looks,
  openArrivalNotes,
  openArrivals,
  openAskingAhead,
  openLooks,
  openPull,
  openReleases,
  type Pull,
  type PullBudget,
  PullError,
  type Releases,
  type Sighting,
} from '@granary/stage-sync';
import { gathering } from './sharing.ts';
import type { Site } from './site.ts';
import type { SyncSide } from './sync-side.ts';

export type PullingSite = Pick<Site, 'clock' | 'paths' | 'settle' | 'privateStore'>;
/** What fetches for clients from one upstream. */
export interface PullingSide extends AsyncDisposable {
  readonly looks: Looks;
  readonly releases: Releases;
  readonly arrivals: Arrivals;
  readonly pull: Pull;
  /** Begins to fetch what a client's path most likely stands for, where nothing forbids it. */
  readonly askAhead: (packagePurl: Purl, asked: Parameters<PullThrough['sight']>[1]) => void;
}
export interface PullLimits {
  /** Aborts when this process ends. */
  readonly signal: AbortSignal;
  readonly budget: PullBudget;
  readonly maxArtifactBytes: number;
  /** Told of what came to nothing. */
  readonly failed: (purl: Purl, error: Error) => void;
}

/** Facts that nobody waits for are sequenced together, when no more come for a while. Documents are held until then: not for long. */
const GATHER = { quietMs: 2000, longestMs: 4000 };
/** What came by its release alone is taken in when no more comes for a while, since that takes longer than fetching it: clients have the processor until then. */
const GATHER_ARRIVALS = { quietMs: 5000, longestMs: 30_000 };

export function openPullingSide(
  { clock, settle, paths, privateStore }: PullingSite,
  { sync, observer }: SyncSide,
  { failed, signal, ...limits }: PullLimits,
): PullingSide {
  const settleLater = gathering(settle, { clock, signal, ...GATHER });
  const ahead = openAskingAhead(sync.upstream);
  const looks = openLooks({
    observe(purl, ending) {
      const look = () => observer.sight(purl, { settle: settleLater, signal: ending });
      // What a client has already must come on record.
      return sightWithin(limits.budget, arrivals.has(purl) ? 'owed' : 'asked', look);
    },
    settle,
    clock,
    onStale: failed,
  });
  const arrivals = openArrivals({
    sync,
    looks,
    notes: openArrivalNotes(privateStore, sync.ecosystem.id),
    later: (work) => gathering(work, { clock, signal, ...GATHER_ARRIVALS }),
    settleLater,
    onFailed: failed,
  });
  const pull = openPull({
    ...{ sync: { ...sync, upstream: ahead.upstream }, arrivals, clock, settle, settleLater, ...limits },
    openSpool: () => openSpool(paths.spool),
    onPulled: (outcome) => void ('error' in outcome && failed(outcome.purl, outcome.error)),
  });
  return {
    askAhead(packagePurl, { path, permits }) {
      const usual = sync.ecosystem.index.usual?.(sync.upstreamBase, packagePurl, path);
      if (usual !== undefined && permits(usual.purl) && limits.budget.reserve(0) !== undefined) ahead.ask(usual.url, limits.maxArtifactBytes);
    },
    looks,
    releases: openReleases({ ...sync, clock, signal, budget: limits.budget }),
    arrivals,
    pull,
    async [Symbol.asyncDispose]() {
      ahead[Symbol.dispose]();
      await Promise.all([looks, arrivals, pull].map((part) => part[Symbol.asyncDispose]()));
    },
  };
}

/** Documents count as well: whoever asks for every package that there is must find an end. */
function sightWithin(budget: PullBudget, why: 'asked' | 'owed', look: () => Sighting): Sighting {
  const reserved = budget.reserve(0);
  if (reserved === undefined && why === 'asked') return unseen(new PullError('quota', 'no more is fetched for clients today (UTC)'));
  const sighting = look();
  sighting.recorded.then(
    (observation) => observation.type === 'changed' && reserved?.take(observation.sizeBytes),
    () => undefined,
  );
  return sighting;
}

function unseen(error: Error): Sighting {
  const never = Promise.reject(error);
  never.catch(() => undefined);
  return { document: never, recorded: never, settled: never };
}
