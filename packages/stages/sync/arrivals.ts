import { EcosystemError, type PackageIndex, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { JobError, type StoredBlob } from '@granary/contract/ports';
import { type Purl, toInstant } from '@granary/core/model';
import pLimit from 'p-limit';
import type { ArrivalNote, ArrivalNotes, KeptNote } from './arrival-notes.ts';
import type { Looks } from './open-looks.ts';
import type { Stated } from './sighting.ts';
import { type StorePorts, takeArtifact } from './store-artifact.ts';

/** Files that clients have by what upstream says of their releases alone. They are taken in by the documents of their packages a while later, when clients wait for less. */
export interface Arrivals extends AsyncDisposable {
  /** Resolves when it is durable that the file came, and will be taken in whatever dies. */
  keep(packagePurl: Purl, stated: Stated, blob: StoredBlob): Promise<Arrival>;
  /** Resolves when the facts of what came of the package so far are durable. */
  hasten(packagePurl: Purl): Promise<void>;
  /** Takes in what an earlier process left behind, and says how much that was; `olderThanMs`: what is newer belongs to another one that lives. */
  resume(olderThanMs: number): Promise<number>;
  /** How many there are. */
  readonly waiting: () => number;
}
interface Arrival {
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
  /** Told of what couldn't be taken in. */
  readonly onFailed: (purl: Purl, error: Error) => void;
}

/** At once: clients of other packages go first. */
const CONCURRENCY = 4;

interface Waiting {
  readonly note: ArrivalNote;
  readonly artifact: UpstreamArtifact;
  readonly remove: KeptNote['remove'];
  readonly ended: PromiseWithResolvers<void>;
  begun: boolean;
}

export function openArrivals(ports: ArrivalPorts): Arrivals {
  const { notes } = ports;
  const { clock, ecosystem } = ports.sync;
  const intake = openIntake(ports);
  const takeInLater = ports.later(() => intake.takeIn(intake.waiting));
  return {
    async keep(packagePurl, { artifact, statement }, blob) {
      const kept = await notes.keep({ at: clock.now(), packagePurl, path: artifact.path, statement, blob });
      const { ended } = intake.add(kept, artifact);
      void takeInLater();
      return { recorded: ended.promise };
    },
    hasten: (packagePurl) => intake.takeIn([...intake.waiting].filter(({ note }) => note.packagePurl === packagePurl)),
    async resume(olderThanMs) {
      const until = toInstant(Date.parse(clock.now()) - olderThanMs);
      const left: Waiting[] = [];
      for await (const kept of notes.all()) {
        const artifact = kept.note.at > until || intake.isEnding() ? undefined : artifactOf(ecosystem.index, kept.note);
        if (artifact !== undefined) left.push(intake.add(kept, artifact));
      }
      await intake.takeIn(left);
      return left.length;
    },
    waiting: () => intake.waiting.size,
    [Symbol.asyncDispose]: intake.end,
  };
}

/** What waits to be taken in, and what is being. */
function openIntake(ports: ArrivalPorts) {
  const waiting = new Set<Waiting>();
  const running = new Set<Promise<void>>();
  const limit = pLimit(CONCURRENCY);
  const ending = new AbortController();
  const begin = (one: Waiting): Promise<void> => {
    if (one.begun) return one.ended.promise;
    one.begun = true;
    const run = limit(() => takeInOrTell(ports, one, ending.signal)).finally(() => {
      waiting.delete(one);
      running.delete(run);
      one.ended.resolve();
    });
    running.add(run);
    return one.ended.promise;
  };
  return {
    waiting: waiting as ReadonlySet<Waiting>,
    add({ note, remove }: KeptNote, artifact: UpstreamArtifact): Waiting {
      const one = { note, artifact, remove, ended: Promise.withResolvers<void>(), begun: false };
      waiting.add(one);
      return one;
    },
    takeIn: async (all: Iterable<Waiting>): Promise<void> => void (await Promise.all([...all].map(begin))),
    isEnding: () => ending.signal.aborted,
    async end(): Promise<void> {
      ending.abort();
      await Promise.all(running);
      for (const { ended } of waiting) ended.resolve();
    },
  };
}

/** Never rejects. What is left behind is taken in after the next start, unless it never can be. */
async function takeInOrTell(ports: ArrivalPorts, one: Waiting, ending: AbortSignal): Promise<void> {
  if (ending.aborted) return;
  const { artifact, remove } = one;
  const tell = (cause: unknown) => ports.onFailed(artifact.purl, cause instanceof Error ? cause : new Error(String(cause)));
  try {
    await takeIn(ports, one, ending);
    await remove();
  } catch (error) {
    if (ending.aborted) return;
    tell(error);
    if (error instanceof JobError && error.retry !== 'at-once') await remove().catch(tell);
  }
}

function artifactOf({ release }: Pick<PackageIndex, 'release'>, { packagePurl, path, statement: { url, text } }: ArrivalNote): UpstreamArtifact | undefined {
  try {
    return release?.parse(Buffer.from(text), { url, package: packagePurl, path });
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
}

/** By the document of its package, which comes on record; by what was said of its release where that is no longer said, or nothing can be heard. */
async function takeIn({ sync, looks }: ArrivalPorts, { note, artifact }: Waiting, signal: AbortSignal): Promise<void> {
  const { packagePurl, path, blob } = note;
  const sight = await looks.sight(packagePurl);
  const wanted = { purl: artifact.purl, digests: { ...artifact.digests, sha256: blob.sha256 }, path };
  await takeArtifact(sync, wanted, { signal, sighted: sight.type === 'sighted' ? sight.sighted : undefined, arrived: { artifact, blob } });
}
