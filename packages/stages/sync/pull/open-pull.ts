import { type Clock, JobError, type Spool, type StoredBlob } from '@granary/contract/ports';
import { type Artifact, digestsAgree, type Purl, packageOf } from '@granary/core/model';
import type { Sighted, Stated } from '../sighting.ts';
import { bringArtifact, type StorePorts, type TakenArtifact, type TakeOptions, takeArtifact, type WantedArtifact } from '../store-artifact.ts';
import type { Arrival, Arrivals } from './arrivals.ts';
import type { PullBudget, Reservation } from './pull-budget.ts';
import { type PassedFile, PullFlight } from './pull-flight.ts';

/** Why a file isn't had: the budget is spent, it is too large, upstream can't be reached, or hasn't what it says it has. */
export type PullCode = 'quota' | 'too-large' | 'unreachable' | 'refused';
export class PullError extends Error {
  override readonly name = 'PullError';
  readonly code: PullCode;
  constructor(code: PullCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface PullPorts {
  /** Of the ecosystem that the file is of. */
  readonly sync: StorePorts;
  readonly openSpool: () => Promise<Spool>;
  /** What comes by its release alone goes there. */
  readonly arrivals: Pick<Arrivals, 'keep' | 'holdsSmall' | 'hasten' | 'has' | 'at'>;
  /** Resolves when the facts that were submitted are sequenced and folded. */
  readonly settle: () => Promise<void>;
  /** The same in a while, together with what else comes until then. */
  readonly settleLater: () => Promise<void>;
  readonly clock: Clock;
  readonly budget: PullBudget;
  readonly maxArtifactBytes: number;
  /** Told of every file that came and of every one that didn't. */
  readonly onPulled: (outcome: PullOutcome) => void;
}
export type PullOutcome = { readonly purl: Purl; readonly sizeBytes: number } | { readonly purl: Purl; readonly error: Error };

export type PulledFile = Pick<Artifact, 'purl' | 'digests' | 'sizeBytes'> & { readonly path?: string };
/** What upstream says of a file: in the document of its package, or by its release alone. */
export type PullSource = { readonly sighted: Sighted } | { readonly stated: Stated };
/** Files that are fetched because a client asks for them: each once, however many ask. */
export interface Pull extends AsyncDisposable {
  /** A fetch that is under way, or a new one; by what upstream says of it, where that may not be on record yet. */
  fetch(file: PulledFile, source?: PullSource): PullFlight;
  /** Resolves when all of it is checked and durable and, unless that takes too long, shows in the catalog. */
  shownWhole(flight: PullFlight, packagePurl: Purl): Promise<StoredBlob>;
  /** Where files of the package came of late, and may not show in the catalog yet: resolves when they do, unless the sequencer takes too long. */
  shown(packagePurl: Purl): Promise<void> | undefined;
}

/** How long somebody waits for what is durable to show in the catalog. */
const SHOWN_WITHIN_MS = 3000;
const FETCH_TIMEOUT_MS = 20 * 60_000;

/**
 * The same code takes it in as takes in what is watched; the client sees the bytes earlier, and the last of them once it was checked and its facts are
 * durable, or a note that it came.
 */
export function openPull(ports: PullPorts): Pull {
  const shown = (packagePurl: Purl) => briefly(ports, ports.arrivals.hasten(packagePurl).then(ports.settle));
  const flights = new Map<Purl, { readonly digests: PulledFile['digests']; readonly flight: PullFlight }>();
  const running = new Set<Promise<void>>();
  const ofPackages = openCounts();
  const ending = new AbortController();
  return {
    fetch(file, source) {
      const joined = flights.get(file.purl);
      const arrived = file.path === undefined ? undefined : ports.arrivals.at(file.path);
      const first = joined?.digests ?? arrived?.artifact.digests;
      if (first !== undefined && digestsAgree(first, file.digests) === false) return replacedFlight(ports, file);
      if (joined !== undefined) return joined.flight;
      const flight = new PullFlight({ openSpool: ports.openSpool, blobs: ports.sync.blobs });
      flights.set(file.purl, { digests: file.digests, flight });
      const done = ofPackages.begin(packageOf(file.purl));
      const taking = take(ports, { file, source: arrived === undefined ? source : { arrived }, signal: ending.signal }, flight);
      const ended = run(ports, file.purl, { flight, taking }).finally(() => {
        flights.delete(file.purl);
        running.delete(ended);
        done();
      });
      running.add(ended);
      return flight;
    },
    async shownWhole(flight, packagePurl) {
      const { blob } = await flight.passed();
      await shown(packagePurl);
      return blob;
    },
    shown: (packagePurl) => (ofPackages.has(packagePurl) || ports.arrivals.has(packagePurl) ? shown(packagePurl) : undefined),
    async [Symbol.asyncDispose]() {
      ending.abort(new PullError('unreachable', 'this process ends'));
      await Promise.all(running);
    },
  };
}

/** Upstream said otherwise of it a moment ago: the first bytes stay. */
function replacedFlight(ports: PullPorts, { purl }: PulledFile): PullFlight {
  const flight = new PullFlight({ openSpool: ports.openSpool, blobs: ports.sync.blobs });
  const error = new PullError('refused', 'upstream says other bytes of it than those that are coming or came a moment ago');
  flight.end({ type: 'failed', error });
  ports.onPulled({ purl, error });
  return flight;
}

/** How many flights a package has. */
function openCounts() {
  const counts = new Map<Purl, number>();
  return {
    has: (packagePurl: Purl) => counts.has(packagePurl),
    begin(packagePurl: Purl): () => void {
      counts.set(packagePurl, (counts.get(packagePurl) ?? 0) + 1);
      return () => {
        const left = (counts.get(packagePurl) ?? 1) - 1;
        if (left === 0) counts.delete(packagePurl);
        else counts.set(packagePurl, left);
      };
    },
  };
}

interface Order {
  readonly file: PulledFile;
  /** Or the file itself, which came before. */
  readonly source: PullSource | { readonly arrived: Arrival } | undefined;
  readonly signal: AbortSignal;
}

/** Never rejects. */
async function run(ports: PullPorts, purl: Purl, { flight, taking }: { readonly flight: PullFlight; readonly taking: Promise<Taken> }): Promise<void> {
  let taken: Taken;
  try {
    taken = await taking;
  } catch (cause) {
    const error = toPullError(cause);
    flight.end({ type: 'failed', error });
    flight.close();
    ports.onPulled({ purl, error });
    return;
  }
  // Durable by now: that it can't be sequenced at the moment takes nothing from what was checked.
  const { blob, broughtMore, recorded, inMemory } = taken;
  const settled = recorded.then(broughtMore ? ports.settle : ports.settleLater).catch((error: unknown) => ports.onPulled({ purl, error: toError(error) }));
  // What its checks brought along the client may ask for next, and nobody else has it under way.
  if (broughtMore) await briefly(ports, settled);
  flight.end({ type: 'passed', blob, ...(inMemory === undefined ? {} : { inMemory }) });
  ports.onPulled({ purl, sizeBytes: blob.sizeBytes });
  await briefly(ports, settled);
  flight.close();
  // Until then whoever asks for it joins: nothing else knows yet that it is here.
  await settled;
}

/** Waits, but not for long. Never rejects. */
async function briefly({ clock }: Pick<PullPorts, 'clock'>, settled: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([settled.catch(() => undefined), clock.sleep(SHOWN_WITHIN_MS, done.signal).catch(() => undefined)]);
  done.abort(OVER);
}

/** Made once: without a reason each abort makes an error of its own, with its stack. */
const OVER = new Error('no longer waited for');

interface Taken extends TakenArtifact, PassedFile {
  /** Its facts are durable. */
  readonly recorded: Promise<void>;
}

async function take(ports: PullPorts, { file, source, signal: ending }: Order, flight: PullFlight): Promise<Taken> {
  if (source !== undefined && 'arrived' in source) return takenOf(source.arrived, false);
  const { sizeBytes = 0 } = file;
  const { maxArtifactBytes: maxBytes, budget } = ports;
  if (sizeBytes > maxBytes) throw new PullError('too-large', `${sizeBytes} bytes, and at most ${maxBytes} are fetched for a client`);
  let reserved: Reservation | undefined;
  let overdrawn: PullError | undefined;
  const refuse = () => {
    overdrawn = spent();
    return overdrawn;
  };
  const watcher: TakeOptions['watcher'] = {
    async begin(announced) {
      reserved = budget.reserve(announced ?? 0);
      if (reserved === undefined) throw refuse();
      flight.begin(announced);
    },
    async bytes(chunk) {
      if (reserved?.take(chunk.length) === false) throw refuse();
      await flight.append(chunk);
    },
  };
  // Asked for before upstream is: a budget that is spent costs it nothing.
  const probe = budget.reserve(sizeBytes);
  if (probe === undefined) throw spent();
  probe.end();
  try {
    const signal = AbortSignal.any([ending, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
    const options = { signal, maxBytes, watcher };
    return source !== undefined && 'stated' in source ? await bring(ports, source.stated, options) : await takeByIndex(ports, file, { ...options, ...source });
  } catch (error) {
    // A store may say in words of its own that its source broke off.
    throw overdrawn ?? error;
  } finally {
    reserved?.end();
  }
}

async function takeByIndex({ sync }: PullPorts, { purl, digests, path }: PulledFile, options: TakeOptions): Promise<Taken> {
  const wanted: WantedArtifact = { purl, digests, ...(path === undefined ? {} : { path }) };
  return { ...(await takeArtifact(sync, wanted, options)), recorded: Promise.resolve() };
}

/** What its checks brought must be there next: then it is taken in at once. */
async function bring({ sync, arrivals }: PullPorts, stated: Stated, options: TakeOptions): Promise<Taken> {
  const { broughtMore, ...file } = await bringArtifact(sync, stated.artifact, { ...options, holdsSmall: arrivals.holdsSmall() });
  const packagePurl = packageOf(stated.artifact.purl);
  const arrival = await arrivals.keep(packagePurl, stated, file);
  if (broughtMore) void arrivals.hasten(packagePurl);
  return takenOf(arrival, broughtMore);
}

function takenOf({ blob, bytes, recorded }: Arrival, broughtMore: boolean): Taken {
  return { blob, inMemory: bytes, recorded, broughtMore };
}

function spent(): PullError {
  return new PullError('quota', 'as much as may be fetched for clients in a day has been fetched; tomorrow (UTC) there is more');
}

function toPullError(cause: unknown): Error {
  if (cause instanceof PullError) return cause;
  if (!(cause instanceof JobError)) return toError(cause);
  return new PullError(cause.retry === 'at-once' ? 'unreachable' : 'refused', cause.message, { cause });
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
