import { type Clock, JobError } from '../ports/index.ts';

export interface LimitedRun {
  /** Resolves when the handler returned, rejects when it threw or its time was over. */
  readonly outcome: Promise<void>;
  /** Resolves when the handler returned, however late. */
  readonly returned: Promise<void>;
}

export interface Limits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly stopping: AbortSignal;
}

/** Runs a handler for no longer than its time; what it does after that is waited for by nobody but its own retry. */
export function runLimited(handler: (signal: AbortSignal) => Promise<void>, { clock, timeoutMs, stopping }: Limits): LimitedRun {
  const timer = new AbortController();
  const expired = new AbortController();
  const running = (async () => handler(AbortSignal.any([stopping, expired.signal])))();
  const returned = running.then(
    () => timer.abort(),
    () => timer.abort(),
  );

  async function expire(): Promise<void> {
    try {
      await clock.sleep(timeoutMs, timer.signal);
    } catch {
      // It returned in time: what it returned with is the outcome.
      return running;
    }
    const error = new JobError('later', `it took more than ${timeoutMs} ms`);
    expired.abort(error);
    throw error;
  }

  return { outcome: Promise.race([running, expire()]), returned };
}
