import { type Clock, UpstreamError } from '@granary/contract/ports';

/** Longer than this nobody waits inside a request: it is `busy`, and the queue comes back. */
export const MAX_WAIT_MS = 60_000;
/** A host that asks for more is asked again all the same. */
const MAX_PAUSE_MS = 3_600_000;

export interface HostBudgetLimits {
  /** Requests under way at once, their bodies included. */
  readonly maxConcurrent: number;
  readonly requestsPerSecond: number;
  /** How many requests may go at once after a quiet time. */
  readonly burst: number;
}

/** What one upstream host is asked at most: a queue that is first come, first served. */
export interface HostBudget {
  /** Resolves with the function that gives the place back (once; later calls do nothing). Rejects with the signal's reason, or UpstreamError `busy` when the host is paused for too long. */
  enter(url: string, signal: AbortSignal): Promise<() => void>;
  /** Nobody asks the host for that long: it said so. */
  pause(milliseconds: number): void;
}

export function hostBudget(clock: Clock, limits: HostBudgetLimits): HostBudget {
  const slots = semaphore(limits.maxConcurrent);
  const rate = tokenBucket(clock, limits);
  let pause = { until: 0, milliseconds: 0 };
  const now = () => Date.parse(clock.now());
  // Never longer than what was asked for, even if the clock goes back.
  const pausedFor = () => Math.min(Math.max(0, pause.until - now()), pause.milliseconds);
  return {
    pause(asked) {
      const milliseconds = Math.min(asked, MAX_PAUSE_MS);
      if (milliseconds > pausedFor()) pause = { until: now() + milliseconds, milliseconds };
    },
    async enter(url, signal) {
      const leave = await slots(signal);
      try {
        for (let wait = pausedFor(); wait > 0; wait = pausedFor()) {
          if (wait > MAX_WAIT_MS) throw new UpstreamError('busy', url, `get ${url}: the host asked to be left alone for another ${Math.ceil(wait / 1000)} s`);
          await clock.sleep(wait, signal);
        }
        await rate(signal);
        return leave;
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

function semaphore(places: number): (signal: AbortSignal) => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let free = places;
  const giveBack = () => {
    free += 1;
    waiting.shift()?.();
  };
  const take = () => {
    free -= 1;
    let taken = true;
    return () => {
      if (taken) giveBack();
      taken = false;
    };
  };
  return (signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (free > 0) return resolve(take());
      const abort = () => {
        waiting.splice(waiting.indexOf(proceed), 1);
        reject(signal.reason);
      };
      const proceed = () => {
        signal.removeEventListener('abort', abort);
        resolve(take());
      };
      signal.addEventListener('abort', abort, { once: true });
      waiting.push(proceed);
    });
}

function tokenBucket(clock: Clock, { requestsPerSecond, burst }: HostBudgetLimits): (signal: AbortSignal) => Promise<void> {
  let tokens = burst;
  let filledAt = Date.parse(clock.now());
  return async (signal) => {
    const now = Date.parse(clock.now());
    // A clock that went back gives nothing, and takes nothing.
    tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) * requestsPerSecond) / 1000);
    filledAt = now;
    tokens -= 1;
    if (tokens < 0) await clock.sleep((-tokens * 1000) / requestsPerSecond, signal);
  };
}
