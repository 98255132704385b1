import { type Clock, UpstreamError } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import type { Observation } from '../observe.ts';
import type { Sighted, Sighting } from '../sighting.ts';

/** How what is on record of upstream's index of a package stands to upstream. */
export type Look =
  | { readonly type: 'current' }
  /** Upstream has no such package, now or any more. */
  | { readonly type: 'absent' }
  /** Upstream didn't answer, or with nothing that can be read. */
  | { readonly type: 'stale' };
/** As {@link Look}; `sighted` where upstream's document was read and may not be on record yet. */
type Sight = { readonly type: 'sighted'; readonly sighted: Sighted } | Look;

/** Looks at upstream's index because a client asks for a package: not again for a while, and never for long. */
export interface Looks extends AsyncDisposable {
  /** What is on record is then as new as it can be. Never rejects. */
  at(packagePurl: Purl): Promise<Look>;
  /** The same, without waiting until it is on record. */
  sight(packagePurl: Purl): Promise<Sight>;
  /** It was looked at of late, or is being looked at. */
  knows(packagePurl: Purl): boolean;
  /** What a look that is under way has brought so far, without beginning one. */
  underWay(packagePurl: Purl): Promise<Sight> | undefined;
}
export interface LookPorts {
  /** One look at a package at a time. Upstream isn't waited for once the signal aborts. */
  readonly observe: (packagePurl: Purl, signal: AbortSignal) => Sighting;
  /** Every fact that is durable is sequenced and folded when it resolves. */
  readonly settle: () => Promise<void>;
  readonly clock: Clock;
  /** Told why a look came to nothing. */
  readonly onStale: (packagePurl: Purl, error: Error) => void;
}

/** How long what was seen counts as current. */
const MAX_AGE_MS = 60_000;
/** A client waits no longer; the look goes on, and the next client has it. */
const PATIENCE_MS = 10_000;
/** An upstream that doesn't answer isn't waited for again at once, whatever package is asked for. */
const SILENCE_MS = 10_000;
const REMEMBERED = 20_000;

/** None of these ever rejects. */
interface Running {
  readonly sight: Promise<Sight>;
  /** When somebody waits for it: what is recorded waits for more before it is sequenced, unless asked. */
  readonly look: () => Promise<Look>;
  readonly ended: Promise<Look>;
}

export function openLooks(ports: LookPorts): Looks {
  const { clock } = ports;
  const memory = openMemory(clock);
  const running = new Map<Purl, Running>();
  const ending = new AbortController();
  const begin = (packagePurl: Purl): Running => {
    const known = running.get(packagePurl);
    if (known !== undefined) return known;
    const begun = beginLook({ ...ports, signal: ending.signal }, packagePurl, memory);
    running.set(packagePurl, begun);
    void begun.ended.finally(() => running.delete(packagePurl));
    return begun;
  };
  return {
    at: async (packagePurl) => memory.look(packagePurl) ?? (await patiently(clock, begin(packagePurl).look())),
    sight: async (packagePurl) => memory.look(packagePurl) ?? (await patiently(clock, begin(packagePurl).sight)),
    knows: (packagePurl) => running.has(packagePurl) || memory.look(packagePurl) !== undefined,
    underWay: (packagePurl) => running.get(packagePurl)?.sight,
    async [Symbol.asyncDispose]() {
      ending.abort(OVER);
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

function beginLook(ports: LookPorts & { readonly signal: AbortSignal }, packagePurl: Purl, memory: Memory): Running {
  const at = Date.parse(ports.clock.now());
  const { document, recorded, settled } = ports.observe(packagePurl, ports.signal);
  let failed: Look | undefined;
  const stale = (cause: unknown): Look => {
    if (failed !== undefined) return failed;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (!ports.signal.aborted) ports.onStale(packagePurl, error);
    if (isSilence(error)) memory.silence();
    failed = { type: 'stale' };
    return failed;
  };
  const onRecord = async (): Promise<Look> => {
    const observation = await recorded;
    if (observation.type !== 'unchanged') await ports.settle();
    return lookOf(observation);
  };
  const seen = async (): Promise<Sight> => {
    const read = await document;
    return read === undefined ? lookOf(await recorded) : { type: 'sighted', sighted: { document: read, recorded } };
  };
  const ended = settled.then((observation) => memory.keep(packagePurl, at, lookOf(observation))).catch(stale);
  return { sight: seen().catch(stale), look: () => onRecord().catch(stale), ended };
}

function lookOf({ type }: Observation): Look {
  return { type: type === 'absent' ? 'absent' : 'current' };
}

/** What was seen of late. */
interface Memory {
  look(packagePurl: Purl): Look | undefined;
  keep(packagePurl: Purl, at: number, look: Look): Look;
  silence(): void;
}

function openMemory(clock: Clock): Memory {
  const seen = new Map<Purl, { readonly at: number; readonly look: Look }>();
  let silentUntil = 0;
  return {
    look(packagePurl) {
      const now = Date.parse(clock.now());
      const known = seen.get(packagePurl);
      if (known !== undefined && now - known.at < MAX_AGE_MS) return known.look;
      return now < silentUntil ? { type: 'stale' } : undefined;
    },
    keep(packagePurl, at, look) {
      silentUntil = 0;
      seen.delete(packagePurl);
      seen.set(packagePurl, { at, look });
      for (const [oldest] of seen) {
        if (seen.size <= REMEMBERED) break;
        seen.delete(oldest);
      }
      return look;
    },
    silence() {
      silentUntil = Date.parse(clock.now()) + SILENCE_MS;
    },
  };
}

async function patiently<T>(clock: Clock, seen: Promise<T>): Promise<T | Look> {
  const done = new AbortController();
  const late = clock.sleep(PATIENCE_MS, done.signal).then(
    (): Look => ({ type: 'stale' }),
    () => seen,
  );
  try {
    return await Promise.race([seen, late]);
  } finally {
    done.abort(OVER);
  }
}

/** Made once: without a reason each abort makes an error of its own, with its stack. */
const OVER = new Error('no longer waited for');

/** The whole upstream, and not one document of it, is out of reach. */
function isSilence(error: Error): boolean {
  return error instanceof UpstreamError && (error.code === 'unreachable' || error.code === 'busy');
}
