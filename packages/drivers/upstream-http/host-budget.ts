import { type Clock, type SharedBudget, UpstreamError } from '@granary/contract/ports';

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

/** With a shared budget a request must pass both: one's own first, so that nobody takes together what he can't use yet. */
export function hostBudget(clock: Clock, limits: HostBudgetLimits, shared?: ShareOfHost): HostBudget {
  const slots = semaphore(limits.maxConcurrent);
  const rate = tokenBucket(clock, limits);
  const turn = semaphore(1);
  let pause = { until: 0, milliseconds: 0 };
  const now = () => Date.parse(clock.now());
  // Never longer than what was asked for, even if the clock goes back.
  const pausedFor = () => Math.min(Math.max(0, pause.until - now()), pause.milliseconds);
  return {
    pause(asked) {
      const milliseconds = Math.min(asked, MAX_PAUSE_MS);
      if (milliseconds > pausedFor()) pause = { until: now() + milliseconds, milliseconds };
      void shared?.budget.pause(shared.host, milliseconds);
    },
    async enter(url, signal) {
      const leave = await slots(signal);
      try {
        for (let wait = pausedFor(); wait > 0; wait = pausedFor()) await waitFor(clock, wait, { url, signal });
        await rate(signal);
        if (shared !== undefined) await together(shared, { clock, turn, url, signal });
        return leave;
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

export interface ShareOfHost {
  readonly budget: SharedBudget;
  readonly host: string;
}
interface Asking {
  readonly url: string;
  readonly signal: AbortSignal;
}

async function waitFor(clock: Clock, milliseconds: number, { url, signal }: Asking): Promise<void> {
  if (milliseconds > MAX_WAIT_MS)
    throw new UpstreamError('busy', url, `get ${url}: the host asked to be left alone for another ${Math.ceil(milliseconds / 1000)} s`);
  await clock.sleep(milliseconds, signal);
}

/** One request of this process at a time asks for its turn among all. */
async function together({ budget, host }: ShareOfHost, asking: Asking & { readonly clock: Clock; readonly turn: ReturnType<typeof semaphore> }): Promise<void> {
  const leave = await asking.turn(asking.signal);
  try {
    for (let wait = await budget.take(host); wait > 0; wait = await budget.take(host)) await waitFor(asking.clock, wait, asking);
  } finally {
    leave();
  }
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
