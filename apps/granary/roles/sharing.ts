import type { Clock } from '@granary/contract/ports';

/** Callers that wait at the same time share a run; one that comes while it runs needs the next. */
export function sharing(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const done = work().finally(() => {
      running = undefined;
    });
    running = done;
    return done;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}

export interface Gathering {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Nobody called for so long (up to twice that): the run begins. */
  readonly quietMs: number;
  /** The first caller has waited for so long: it begins, whoever still calls. */
  readonly longestMs: number;
  /** Once it aborts nobody waits for others any more. */
  readonly signal: AbortSignal;
}

/** Callers wait for a run that begins when no more of them come for a while, and share it. */
export function gathering(work: () => Promise<void>, { clock, quietMs, longestMs, signal }: Gathering): () => Promise<void> {
  let next: Promise<void> | undefined;
  let calls = 0;
  const start = async (): Promise<void> => {
    let seen: number;
    let waitedMs = 0;
    do {
      seen = calls;
      await clock.sleep(quietMs, signal).catch(() => undefined);
      waitedMs += quietMs;
    } while (seen !== calls && waitedMs < longestMs && !signal.aborted);
    next = undefined;
    await work();
  };
  return () => {
    calls += 1;
    next ??= start();
    return next;
  };
}
