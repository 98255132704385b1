import { EcosystemError, type PackageIndex, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { JobError, type StoredBlob } from '@granary/contract/ports';
import type { ObjectKey } from '@granary/core/layout';
import { type Instant, type Purl, toInstant } from '@granary/core/model';
import pLimit from 'p-limit';
import type { Stated } from '../sighting.ts';
import type { StorePorts } from '../store-artifact.ts';
import type { ArrivalNotes, KeptNote } from './arrival-notes.ts';
import type { Looks } from './open-looks.ts';
import { type ArrivedArtifact, recordedAs, takeArrived } from './take-arrived.ts';

/** Files that clients have by what upstream says of their releases alone. They are taken in by the documents of their packages a while later, when clients wait for less. */
export interface Arrivals extends AsyncDisposable {
  /** Resolves when it is durable that the file came, and will be taken in whatever dies. `bytes` are all of it, where it isn't in the store. */
  keep(packagePurl: Purl, stated: Stated, file: { readonly blob: StoredBlob; readonly bytes?: Uint8Array | undefined }): Promise<Arrival>;
  /** Whether what isn't in the store takes so little memory now that one more small file need not be there. */
  readonly holdsSmall: () => boolean;
  /** The file at a path, where it waits. */
  at(path: string): Arrival | undefined;
  /** Takes in at once what came of the package. Resolves when that is durable, or can't be had at the moment. */
  hasten(packagePurl: Purl): Promise<void>;
  has(packagePurl: Purl): boolean;
  /** Begins to take in what others left behind who ended before it was on record. Rejects where not all of it could be looked at. */
  resume(options: ResumeOptions): Promise<void>;
  /** How many the catalog doesn't show yet. */
  readonly waiting: () => number;
}
interface ResumeOptions {
  /** Where others may live: to them belongs what is newer. */
  readonly olderThanMs?: number | undefined;
  /** Told of objects that can't be read, or not all of them. They stay. */
  readonly onUnreadable: (key: ObjectKey) => void;
}
export interface Arrival extends Pick<ArrivedArtifact, 'artifact' | 'blob'> {
  /** All of its bytes, while they aren't in the store. */
  readonly bytes: () => Uint8Array | undefined;
  /** Resolves when its facts are durable, or when this process ends or can't take it in; never rejects. */
  readonly recorded: Promise<void>;
}
export interface ArrivalPorts {
  /** Of the ecosystem that the files are of. */
  readonly sync: StorePorts;
  readonly looks: Pick<Looks, 'sight'>;
  readonly notes: ArrivalNotes;
  /** Calls for the work, which begins when a while went by without a call. */
  readonly later: (work: () => Promise<void>) => () => Promise<void>;
  /** Resolves when durable facts are sequenced and folded, together with what else comes until then. */
  readonly settleLater: () => Promise<void>;
  /** Told of what couldn't be taken in. */
  readonly onFailed: (purl: Purl, error: Error) => void;
}

/** Of files that aren't in the store. */
const MAX_IN_MEMORY_BYTES = 32 * 2 ** 20;
/** At once: clients of other packages go first. */
const CONCURRENCY = 4;
/** Before the first retry; twice as long before each that follows, up to the longest. */
const RETRY_MS = { first: 10_000, longest: 3_600_000 };
/** For so long the document of a package is waited for, which alone tells when a release was published. Then upstream counts as gone. */
const SILENT_MS = 600_000;

interface Waiting {
  /** When it came, or was found. */
  readonly since: Instant;
  readonly packagePurl: Purl;
  readonly artifact: UpstreamArtifact;
  readonly blob: StoredBlob;
  bytes: Uint8Array | undefined;
  readonly remove: KeptNote['remove'];
  readonly ended: PromiseWithResolvers<void>;
  /** Somebody sees to it that it is taken in. */
  isSeenTo: boolean;
  /** Its facts are durable, or never will be. */
  isOver: boolean;
  /** Somebody was told that it couldn't be taken in. */
  isTold: boolean;
  attempt?: Promise<void>;
}

export function openArrivals(ports: ArrivalPorts): Arrivals {
  const { notes } = ports;
  const { clock } = ports.sync;
  const intake = openIntake(ports);
  const takeInLater = ports.later(async () => intake.seeTo(intake.all()));
  /** Of files whose notes are being written. */
  let notingBytes = 0;
  const holdsSmall = () => intake.inMemoryBytes() + notingBytes < MAX_IN_MEMORY_BYTES;
  return {
    holdsSmall,
    async keep(packagePurl, { artifact, statement }, file) {
      const sizeBytes = file.bytes?.length ?? 0;
      notingBytes += sizeBytes;
      try {
        const kept = await notes.keep({ at: clock.now(), packagePurl, path: artifact.path, statement, ...file });
        const one = intake.add(kept, artifact);
        void takeInLater();
        return arrivalOf(one);
      } finally {
        notingBytes -= sizeBytes;
      }
    },
    at(path) {
      const one = intake.at(path);
      return one === undefined ? undefined : arrivalOf(one);
    },
    hasten: intake.hasten,
    has: (packagePurl) => intake.of(packagePurl).size > 0,
    resume: (options) => resume(ports, options, { intake, holdsSmall }),
    waiting: intake.count,
    [Symbol.asyncDispose]: intake.end,
  };
}

interface Resuming {
  readonly intake: ReturnType<typeof openIntake>;
  readonly holdsSmall: () => boolean;
}
async function resume({ sync, notes }: ArrivalPorts, { olderThanMs, onUnreadable }: ResumeOptions, { intake, holdsSmall }: Resuming): Promise<void> {
  const until = olderThanMs === undefined ? undefined : toInstant(Date.parse(sync.clock.now()) - olderThanMs);
  for await (const left of notes.left(until)) {
    if (intake.isEnding()) return;
    const read = left.notes.flatMap((kept) => readNote(sync.ecosystem.index, kept) ?? []);
    if (left.isUnreadable || read.length < left.notes.length) onUnreadable(left.key);
    const added = read.map(({ kept, artifact }) => intake.add(kept, artifact));
    // However many objects follow: not in memory.
    for (const one of holdsSmall() ? [] : added) await intake.untilDown(one);
    intake.seeTo(added);
  }
}

function arrivalOf(one: Waiting): Arrival {
  return { artifact: one.artifact, blob: one.blob, bytes: () => one.bytes, recorded: one.ended.promise };
}

/** What waits to be taken in, and what is being. */
function openIntake(ports: ArrivalPorts) {
  const { clock } = ports.sync;
  const waiting = openWaiting();
  const running = new Set<Promise<void>>();
  const limit = pLimit(CONCURRENCY);
  /** Before all others, and not too many either. */
  const urgent = pLimit(CONCURRENCY);
  const ending = new AbortController();
  const own = { ...ports, isDown: waiting.isDown };
  const attempt = openAttempts(own, waiting, ending.signal);
  const persist = async (one: Waiting): Promise<void> => {
    for (let pauseMs = RETRY_MS.first; ; pauseMs = Math.min(2 * pauseMs, RETRY_MS.longest)) {
      await limit(() => attempt(one));
      if (one.isOver || ending.signal.aborted) return;
      await clock.sleep(pauseMs, ending.signal).catch(() => undefined);
    }
  };
  return {
    all: waiting.all,
    at: waiting.at,
    of: waiting.of,
    count: waiting.count,
    hasten: async (packagePurl: Purl): Promise<void> => void (await Promise.all([...waiting.of(packagePurl)].map((one) => urgent(() => attempt(one))))),
    add(kept: KeptNote, artifact: UpstreamArtifact): Waiting {
      const one = waitingFor(kept, artifact, clock.now());
      // Its note stays for the next start.
      if (ending.signal.aborted) one.ended.resolve();
      else waiting.begin(one);
      return one;
    },
    seeTo(all: Iterable<Waiting>): void {
      for (const one of all) {
        if (one.isSeenTo) continue;
        one.isSeenTo = true;
        const run = persist(one).finally(() => running.delete(run));
        running.add(run);
      }
    },
    inMemoryBytes: waiting.inMemoryBytes,
    untilDown: (one: Waiting) => untilDown(own, one, ending.signal),
    isEnding: () => ending.signal.aborted,
    async end(): Promise<void> {
      ending.abort();
      await Promise.all([...running, ...waiting.all().map((one) => one.attempt)]);
      for (const one of waiting.all()) waiting.end(one);
    },
  };
}

function waitingFor({ note: { packagePurl, blob, bytes }, remove }: KeptNote, artifact: UpstreamArtifact, since: Instant): Waiting {
  const ended = Promise.withResolvers<void>();
  return { since, packagePurl, artifact, blob, bytes, remove, ended, isSeenTo: false, isOver: false, isTold: false };
}

/** Tries to take one in, once at a time. */
function openAttempts(ports: IntakePorts, waiting: ReturnType<typeof openWaiting>, ending: AbortSignal): (one: Waiting) => Promise<void> {
  const over = (one: Waiting) => {
    one.isOver = true;
    one.ended.resolve();
    // Until then nobody else knows that it is here.
    const forget = () => waiting.end(one);
    ports.settleLater().then(forget, forget);
  };
  return async (one) => {
    if (one.isOver || ending.aborted) return;
    one.attempt ??= takeInOrTell(ports, one, ending)
      .then((isOver) => void (isOver && over(one)))
      .finally(() => delete one.attempt);
    await one.attempt;
  };
}

/** By package. */
function openWaiting() {
  const all = new Set<Waiting>();
  const byPackage = new Map<Purl, Set<Waiting>>();
  /** The first of each. */
  const byPath = new Map<string, Waiting>();
  let inMemoryBytes = 0;
  const letGo = ({ bytes }: Waiting) => {
    inMemoryBytes -= bytes?.length ?? 0;
  };
  return {
    inMemoryBytes: () => inMemoryBytes,
    at: (path: string) => byPath.get(path),
    all: (): readonly Waiting[] => [...all],
    of: (packagePurl: Purl): ReadonlySet<Waiting> => byPackage.get(packagePurl) ?? NONE,
    count: () => all.size,
    begin(one: Waiting): void {
      const ofPackage = byPackage.get(one.packagePurl) ?? new Set();
      byPackage.set(one.packagePurl, ofPackage.add(one));
      if (!byPath.has(one.artifact.path)) byPath.set(one.artifact.path, one);
      all.add(one);
      inMemoryBytes += one.bytes?.length ?? 0;
    },
    /** Its bytes are in the store. */
    isDown(one: Waiting): void {
      if (all.has(one)) letGo(one);
      one.bytes = undefined;
    },
    end(one: Waiting): void {
      if (byPath.get(one.artifact.path) === one) byPath.delete(one.artifact.path);
      const ofPackage = byPackage.get(one.packagePurl);
      ofPackage?.delete(one);
      if (ofPackage?.size === 0) byPackage.delete(one.packagePurl);
      // Who reads it at the moment still has its bytes.
      if (all.delete(one)) letGo(one);
      one.ended.resolve();
    },
  };
}
const NONE: ReadonlySet<Waiting> = new Set();

interface IntakePorts extends ArrivalPorts {
  /** Told of what is in the store by now. */
  readonly isDown: (one: Waiting) => void;
}
/** Never rejects. False: it is to be tried again, in a while or after the next start. */
async function takeInOrTell(ports: IntakePorts, one: Waiting, ending: AbortSignal): Promise<boolean> {
  try {
    if (!(await takeIn(ports, one, ending))) return false;
    await one.remove();
    return true;
  } catch (error) {
    if (ending.aborted) return false;
    tell(ports, one, error);
    if (!(error instanceof JobError) || error.retry !== 'never') return false;
    await one.remove().catch(() => undefined);
    return true;
  }
}

/** False while its package can't be heard of, or doesn't have it, for a time. */
async function takeIn(ports: IntakePorts, one: Waiting, signal: AbortSignal): Promise<boolean> {
  const { sync, looks } = ports;
  const { since, packagePurl, artifact, blob, bytes } = one;
  // An object of notes stays until all of them are: at the next start many may have been taken in.
  if (recordedAs(sync, artifact.purl) === blob.sha256) return true;
  await putDown(ports, one);
  signal.throwIfAborted();
  const sight = await looks.sight(packagePurl);
  signal.throwIfAborted();
  const isSilent = sight.type === 'stale';
  const isOld = Date.parse(sync.clock.now()) - Date.parse(since) >= SILENT_MS;
  if (isSilent && !isOld) return false;
  return await takeArrived(sync, { artifact, blob, bytes }, { signal, isSilent, isOld, sighted: sight.type === 'sighted' ? sight.sighted : undefined });
}

/** Into the store, where it isn't there. */
async function putDown({ sync, isDown }: IntakePorts, one: Waiting): Promise<void> {
  const { bytes, blob } = one;
  if (bytes !== undefined) await sync.blobs.put(bytes, { digests: { sha256: blob.sha256 }, maxBytes: blob.sizeBytes });
  isDown(one);
}

/** Resolves when it is in the store, or this process ends. */
async function untilDown(ports: IntakePorts, one: Waiting, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    try {
      return await putDown(ports, one);
    } catch (error) {
      tell(ports, one, error);
      await ports.sync.clock.sleep(RETRY_MS.first, ending).catch(() => undefined);
    }
  }
}

/** Once. */
function tell({ onFailed }: IntakePorts, one: Waiting, error: unknown): void {
  if (!one.isTold) onFailed(one.artifact.purl, error instanceof Error ? error : new Error(String(error)));
  one.isTold = true;
}

interface ReadNote {
  readonly kept: KeptNote;
  readonly artifact: UpstreamArtifact;
}
/** Undefined where what upstream said isn't understood any more. */
function readNote({ release }: Pick<PackageIndex, 'release'>, kept: KeptNote): ReadNote | undefined {
  const { packagePurl, path, statement } = kept.note;
  try {
    const artifact = release?.parse(Buffer.from(statement.text), { url: statement.url, package: packagePurl, path });
    return artifact === undefined ? undefined : { kept, artifact };
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
}
