import { type Config, ConfigError } from '@granary/config';
import type { PackageDocument, UpstreamArtifact } from '@granary/contract/ecosystem';
import { type Purl, packageOf, typeOf } from '@granary/core/model';
import { ecosystems } from '@granary/ecosystems';
import type { Gauge, Pulled, PullRefusal, PullThrough } from '@granary/stage-serve';
import { openPullBudget, PullError, type PulledFile, type PullSource, pullPermits } from '@granary/stage-sync';
import { openPullingSide, type PullingSide, type PullingSite } from './pulling-side.ts';
import type { SyncSide } from './sync-side.ts';
import { type TakeOverOptions, takeOver } from './take-over.ts';

/** What fetches for clients, from the moment on when upstreams are reached. */
export interface PullingThrough extends AsyncDisposable {
  readonly port: PullThrough | undefined;
  readonly gauges: readonly Gauge[];
  /** By ecosystem. */
  connect(sides: ReadonlyMap<string, SyncSide>): void;
}
export interface PullThroughParts extends Pick<TakeOverOptions, 'note' | 'isAlone'> {
  readonly config: Pick<Config, 'pullThrough' | 'file'>;
  readonly site: PullingSite;
}

const NOT_YET: PullRefusal = { status: 503, why: 'this process has not reached upstream yet, or ends' };
const OFF: PullingThrough = { port: undefined, gauges: [], connect: () => undefined, [Symbol.asyncDispose]: async () => undefined };

/** Throws ConfigError where an ecosystem is named that there isn't. */
export function openPullThrough(parts: PullThroughParts): PullingThrough {
  const { config, site, note } = parts;
  const { pullThrough } = config;
  if (pullThrough === undefined) return OFF;
  refuseUnknown(pullThrough.ecosystems, config.file);
  const budget = openPullBudget(site.clock, pullThrough.maxBytesPerDay);
  const reach: Reach = { isConnected: false, sides: new Map() };
  const ending = new AbortController();
  let failures = 0;
  const failed = (purl: Purl, error: Error) => {
    failures += 1;
    note(`fetching ${purl} for a client: ${error.message}`);
  };
  const limits = { budget, maxArtifactBytes: pullThrough.maxArtifactBytes, failed, signal: ending.signal };
  return {
    port: portOf(reach.sides, refusals(pullThrough, reach)),
    gauges: [
      { name: 'granary_pull_bytes_today', help: 'Bytes fetched for clients since midnight UTC', value: budget.usedBytes },
      { name: 'granary_pull_unrecorded', help: 'Files that clients have and the ledger does not have yet', value: () => unrecorded(reach) },
      { name: 'granary_pull_failures', help: 'Looks and fetches for clients that came to nothing', value: () => failures },
    ],
    connect(sides) {
      for (const type of pullThrough.ecosystems) {
        const side = sides.get(type);
        if (side === undefined) continue;
        const begun = openPullingSide(site, side, limits);
        reach.sides.set(type, begun);
        void takeOver(begun.arrivals, { ...parts, clock: site.clock, signal: ending.signal });
      }
      reach.isConnected = true;
    },
    async [Symbol.asyncDispose]() {
      reach.isConnected = false;
      const left = unrecorded(reach);
      if (left > 0) note(`${left} files that came for clients are taken in after the next start`);
      ending.abort();
      const ended = [...reach.sides.values()].map((side) => side[Symbol.asyncDispose]());
      reach.sides.clear();
      await Promise.all(ended);
    },
  };
}

interface Reach {
  isConnected: boolean;
  /** By ecosystem. */
  readonly sides: Map<string, PullingSide>;
}

function refusals({ ecosystems: listed, allow, deny }: NonNullable<Config['pullThrough']>, reach: Reach): PullThrough['refusal'] {
  const permits = pullPermits({ allow: allow ?? ['*'], deny });
  return (purl) => {
    const type = typeOf(purl);
    if (!listed.includes(type)) return { status: 501, why: `pullThrough: in granary.yaml does not list ${type}` };
    if (!reach.isConnected) return NOT_YET;
    if (!reach.sides.has(type)) return { status: 501, why: `this machine has no upstream of ${type}; granary doctor says what is missing` };
    return permits(purl) ? undefined : { status: 403, why: 'pullThrough: in granary.yaml does not allow it' };
  };
}

function unrecorded({ sides }: Reach): number {
  return [...sides.values()].reduce((sum, { arrivals }) => sum + arrivals.waiting(), 0);
}

function portOf(connected: ReadonlyMap<string, PullingSide>, refusal: PullThrough['refusal']): PullThrough {
  return {
    refusal,
    look: async (packagePurl) => (await connected.get(typeOf(packagePurl))?.looks.at(packagePurl)) ?? { type: 'stale' },
    async sight(packagePurl, asked) {
      const side = connected.get(typeOf(packagePurl));
      return side === undefined ? { type: 'stale' } : await sightOf(side, packagePurl, asked);
    },
    shown(packages) {
      const waiting = [...connected.values()].flatMap(({ pull }) => packages.flatMap((packagePurl) => pull.shown(packagePurl) ?? []));
      return waiting.length === 0 ? undefined : Promise.all(waiting);
    },
    async fetch(file, until) {
      const side = connected.get(typeOf(file.purl));
      return side === undefined ? { type: 'refused', refusal: NOT_YET } : await fetched(side, file, until);
    },
  };
}

/** Where more wait to be taken in, clients wait for them. */
const MAX_WAITING = 5000;

/** A release that is asked for alone tells a file soonest; the document of its package tells the rest. */
async function sightOf(
  { looks, releases, arrivals, askAhead }: PullingSide,
  packagePurl: Purl,
  asked: Parameters<PullThrough['sight']>[1],
): ReturnType<PullThrough['sight']> {
  const arrived = arrivals.at(asked.path);
  if (arrived !== undefined) return { type: 'sighted', document: documentWith(arrived.artifact) };
  if (!looks.knows(packagePurl) && arrivals.waiting() < MAX_WAITING) {
    // Who makes names up doesn't reach upstream with each of them: what isn't there begins a look.
    if (releases.known(asked.path) === undefined) askAhead(packagePurl, asked);
    const stated = await releases.of(packagePurl, asked.path);
    if (stated !== undefined) return { type: 'sighted', document: documentWith(stated.artifact) };
  }
  const sight = await looks.sight(packagePurl);
  return sight.type === 'sighted' ? { type: 'sighted', document: sight.sighted.document } : sight;
}

function documentWith(artifact: UpstreamArtifact): PackageDocument {
  return { package: packageOf(artifact.purl), artifacts: [artifact], refused: [] };
}

function refuseUnknown(types: readonly string[], file: string | undefined): void {
  const known = ecosystems.map(({ id }) => id);
  const unknown = types.find((type) => !known.includes(type));
  if (unknown !== undefined) throw new ConfigError(`${file ?? 'granary.yaml'}: pullThrough.ecosystems: ${unknown}: expected one of ${known.join(', ')}`);
}

async function fetched(side: PullingSide, file: PulledFile, until: 'bytes' | 'whole'): Promise<Pulled> {
  const { pull } = side;
  const flight = pull.fetch(file, await sourceOf(side, file));
  try {
    const { sizeBytes } = await (until === 'whole' ? pull.shownWhole(flight, packageOf(file.purl)) : flight.underWay());
    return { type: 'coming', sizeBytes, whole: flight.whole(), open: () => flight.bytes() };
  } catch (error) {
    if (error instanceof PullError) return { type: 'refused', refusal: refusalOf(error) };
    throw error;
  }
}

/** What upstream said of it, where that isn't on record. */
async function sourceOf({ looks, releases }: PullingSide, file: PulledFile): Promise<PullSource | undefined> {
  const { purl, path } = file;
  const stated = path === undefined ? undefined : await releases.known(path);
  // That very one: what is on record states more.
  if (stated?.artifact === file) return { stated };
  const sight = await looks.underWay(packageOf(purl));
  return sight?.type === 'sighted' ? { sighted: sight.sighted } : undefined;
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
