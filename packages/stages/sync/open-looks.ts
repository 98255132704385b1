import { type Clock, UpstreamError } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import type { Observation } from './observe.ts';

/** How what is on record of upstream's index of a package stands to upstream. */
export type Look =
  | { readonly type: 'current' }
  /** Upstream has no such package, now or any more. */
  | { readonly type: 'absent' }
  /** Upstream didn't answer, or with nothing that can be read. */
  | { readonly type: 'stale' };

/** Looks at upstream's index because a client asks for a package: not again for a while, and never for long. */
export interface Looks {
  /** What is on record is then as new as it can be. Never rejects. */
  at(packagePurl: Purl): Promise<Look>;
}
export interface LookPorts {
  /** One look at a package at a time; its facts are folded when it resolves. */
  readonly observe: (packagePurl: Purl) => Promise<Observation>;
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

export function openLooks({ observe, clock, onStale }: LookPorts): Looks {
  const seen = new Map<Purl, { readonly at: number; readonly look: Look }>();
  let silentUntil = 0;
  const look = async (packagePurl: Purl): Promise<Look> => {
    const at = Date.parse(clock.now());
    try {
      const { type } = await observe(packagePurl);
      const found: Look = { type: type === 'absent' ? 'absent' : 'current' };
      silentUntil = 0;
      seen.delete(packagePurl);
      seen.set(packagePurl, { at, look: found });
      for (const [oldest] of seen) {
        if (seen.size <= REMEMBERED) break;
        seen.delete(oldest);
      }
      return found;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      onStale(packagePurl, error);
      if (isSilence(error)) silentUntil = Date.parse(clock.now()) + SILENCE_MS;
      return { type: 'stale' };
    }
  };
  return {
    async at(packagePurl) {
      const now = Date.parse(clock.now());
      const known = seen.get(packagePurl);
      if (known !== undefined && now - known.at < MAX_AGE_MS) return known.look;
      if (now < silentUntil) return { type: 'stale' };
      return await patiently(clock, look(packagePurl));
    },
  };
}

async function patiently(clock: Clock, look: Promise<Look>): Promise<Look> {
  const done = new AbortController();
  const late = clock.sleep(PATIENCE_MS, done.signal).then(
    (): Look => ({ type: 'stale' }),
    () => look,
  );
  try {
    return await Promise.race([look, late]);
  } finally {
    done.abort();
  }
}

/** The whole upstream, and not one document of it, is out of reach. */
function isSilence(error: Error): boolean {
  return error instanceof UpstreamError && (error.code === 'unreachable' || error.code === 'busy');
}
