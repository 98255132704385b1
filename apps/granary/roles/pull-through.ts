import { type Config, ConfigError } from '@granary/config';
import { type Purl, packageOf, purlParts } from '@granary/core/model';
import { openSpool } from '@granary/driver-store-fs';
import { ecosystems } from '@granary/ecosystems';
import type { Gauge, Pulled, PullRefusal, PullThrough } from '@granary/stage-serve';
import {
  type AskingAhead,
  type Looks,
  openAskingAhead,
  openLooks,
  openPull,
  openPullBudget,
  type Pull,
  type PullBudget,
  PullError,
  type PulledFile,
  pullPermits,
  type Sighting,
} from '@granary/stage-sync';
import { gathering } from './sharing.ts';
import type { Site } from './site.ts';
import type { SyncSide } from './sync-side.ts';

/** What fetches for clients, from the moment on when upstreams are reached. */
export interface PullingThrough extends AsyncDisposable {
  readonly port: PullThrough | undefined;
  readonly gauges: readonly Gauge[];
  /** By ecosystem. */
  connect(sides: ReadonlyMap<string, SyncSide>): void;
}
export interface PullThroughParts {
  readonly config: Pick<Config, 'pullThrough' | 'file'>;
  readonly site: Pick<Site, 'clock' | 'paths' | 'settle'>;
  readonly note: (text: string) => void;
}

interface Connected {
  readonly looks: Looks;
  readonly pull: Pull;
  /** Begins to fetch what a client's path most likely stands for, where nothing forbids it. */
  readonly askAhead: (packagePurl: Purl, asked: Parameters<PullThrough['sight']>[1]) => void;
  readonly ahead: AskingAhead;
}
const NOT_YET: PullRefusal = { status: 503, why: 'this process has not reached upstream yet, or ends' };
const OFF: PullingThrough = { port: undefined, gauges: [], connect: () => undefined, [Symbol.asyncDispose]: async () => undefined };

/** Throws ConfigError where an ecosystem is named that there isn't. */
export function openPullThrough({ config, site, note }: PullThroughParts): PullingThrough {
  const { pullThrough } = config;
  if (pullThrough === undefined) return OFF;
  refuseUnknown(pullThrough.ecosystems, config.file);
  const { clock } = site;
  const permits = pullPermits({ allow: pullThrough.allow ?? ['*'], deny: pullThrough.deny });
  const budget = openPullBudget(clock, pullThrough.maxBytesPerDay);
  const connected = new Map<string, Connected>();
  const ending = new AbortController();
  let isConnected = false;
  let failures = 0;
  const failed = (purl: Purl, error: Error) => {
    failures += 1;
    note(`fetching ${purl} for a client: ${error.message}`);
  };
  const limits = { budget, maxArtifactBytes: pullThrough.maxArtifactBytes };
  const refusal = (purl: Purl): PullRefusal | undefined => {
    const { type } = purlParts(purl);
    if (!pullThrough.ecosystems.includes(type)) return { status: 501, why: `pullThrough: in granary.yaml does not list ${type}` };
    if (!isConnected) return NOT_YET;
    if (!connected.has(type)) return { status: 501, why: `this machine has no upstream of ${type}; granary doctor says what is missing` };
    return permits(purl) ? undefined : { status: 403, why: 'pullThrough: in granary.yaml does not allow it' };
  };
  return {
    port: portOf(connected, refusal),
    gauges: [
      { name: 'granary_pull_bytes_today', help: 'Bytes fetched for clients since midnight UTC', value: budget.usedBytes },
      { name: 'granary_pull_failures', help: 'Looks and fetches for clients that came to nothing', value: () => failures },
    ],
    connect(sides) {
      for (const type of pullThrough.ecosystems) {
        const side = sides.get(type);
        if (side !== undefined) connected.set(type, connectSide(site, side, { ...limits, failed, signal: ending.signal }));
      }
      isConnected = true;
    },
    async [Symbol.asyncDispose]() {
      isConnected = false;
      ending.abort();
      for (const { ahead } of connected.values()) ahead[Symbol.dispose]();
      const ended = [...connected.values()].flatMap(({ looks, pull }) => [pull[Symbol.asyncDispose](), looks[Symbol.asyncDispose]()]);
      connected.clear();
      await Promise.all(ended);
    },
  };
}

interface Limits {
  /** Aborts when this process ends. */
  readonly signal: AbortSignal;
  readonly budget: PullBudget;
  readonly maxArtifactBytes: number;
  readonly failed: (purl: Purl, error: Error) => void;
}

/** Facts that nobody waits for are sequenced together, when no more come for a while. Documents are held until then: not for long. */
const GATHER = { quietMs: 2000, longestMs: 4000 };

function connectSide({ clock, settle, paths }: PullThroughParts['site'], { sync, observer }: SyncSide, { failed, signal, ...limits }: Limits): Connected {
  const settleLater = gathering(settle, { clock, signal, ...GATHER });
  const ahead = openAskingAhead(sync.upstream);
  return {
    ahead,
    askAhead(packagePurl, { path, permits }) {
      const usual = sync.ecosystem.index.usual?.(sync.upstreamBase, packagePurl, path);
      if (usual !== undefined && permits(usual.purl) && limits.budget.reserve(0) !== undefined) ahead.ask(usual.url, limits.maxArtifactBytes);
    },
    looks: openLooks({
      observe: (purl, signal) => sightWithin(limits.budget, () => observer.sight(purl, { settle: settleLater, signal })),
      settle,
      clock,
      onStale: failed,
    }),
    pull: openPull({
      ...{ sync: { ...sync, upstream: ahead.upstream }, clock, settle, settleLater, ...limits },
      openSpool: () => openSpool(paths.spool),
      onPulled: (outcome) => void ('error' in outcome && failed(outcome.purl, outcome.error)),
    }),
  };
}

/** Documents count as well: whoever asks for every package that there is must find an end. */
function sightWithin(budget: PullBudget, look: () => Sighting): Sighting {
  const reserved = budget.reserve(0);
  if (reserved === undefined) return unseen(new PullError('quota', 'no more is fetched for clients today (UTC)'));
  const sighting = look();
  sighting.recorded.then(
    (observation) => observation.type === 'changed' && reserved.take(observation.sizeBytes),
    () => undefined,
  );
  return sighting;
}

function unseen(error: Error): Sighting {
  const never = Promise.reject(error);
  never.catch(() => undefined);
  return { document: never, recorded: never, settled: never };
}

function portOf(connected: ReadonlyMap<string, Connected>, refusal: PullThrough['refusal']): PullThrough {
  return {
    refusal,
    look: async (packagePurl) => (await connected.get(purlParts(packagePurl).type)?.looks.at(packagePurl)) ?? { type: 'stale' },
    async sight(packagePurl, asked) {
      const side = connected.get(purlParts(packagePurl).type);
      // Once per look: who makes names up doesn't reach upstream with each of them.
      if (side?.looks.knows(packagePurl) === false) side.askAhead(packagePurl, asked);
      const sight = (await side?.looks.sight(packagePurl)) ?? { type: 'stale' };
      return sight.type === 'sighted' ? { type: 'sighted', document: sight.sighted.document } : sight;
    },
    shown(packages) {
      const waiting = [...connected.values()].flatMap(({ pull }) => packages.flatMap((packagePurl) => pull.shown(packagePurl) ?? []));
      return waiting.length === 0 ? undefined : Promise.all(waiting);
    },
    async fetch(file, until) {
      const side = connected.get(purlParts(file.purl).type);
      return side === undefined ? { type: 'refused', refusal: NOT_YET } : await fetched(side, file, until);
    },
  };
}

function refuseUnknown(types: readonly string[], file: string | undefined): void {
  const known = ecosystems.map(({ id }) => id);
  const unknown = types.find((type) => !known.includes(type));
  if (unknown !== undefined) throw new ConfigError(`${file ?? 'granary.yaml'}: pullThrough.ecosystems: ${unknown}: expected one of ${known.join(', ')}`);
}

async function fetched({ looks, pull }: Connected, file: PulledFile, until: 'bytes' | 'whole'): Promise<Pulled> {
  const sight = await looks.underWay(packageOf(file.purl));
  const flight = pull.fetch(file, sight?.type === 'sighted' ? sight.sighted : undefined);
  try {
    const { sizeBytes } = await (until === 'whole' ? pull.stored(flight) : flight.underWay());
    return { type: 'coming', sizeBytes, open: () => flight.bytes() };
  } catch (error) {
    if (error instanceof PullError) return { type: 'refused', refusal: refusalOf(error) };
    throw error;
  }
}

/** Messages of the drivers name addresses, which stay in the log. */
function refusalOf({ code, message }: PullError): PullRefusal {
  switch (code) {
    case 'quota':
      return { status: 503, why: message };
    case 'too-large':
      return { status: 403, why: message };
    case 'unreachable':
      return { status: 503, why: 'upstream does not answer now' };
    case 'refused':
      return { status: 502, why: 'what upstream sent is not what its index says' };
  }
}
