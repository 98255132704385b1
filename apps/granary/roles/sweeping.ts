import { setTimeout } from 'node:timers/promises';

/** Runs of one piece of work, one at a time. */
export interface Sweeping {
  /** A run now, or right after the one that is under way. */
  ask(): void;
  /** A run that begins no later than when nothing is left to do, and otherwise when the runs don't take more than a tenth of the time. */
  askInTurn(): void;
  /** Resolves when no run is under way or asked for at once. */
  settled(): Promise<void>;
  isStopped(): boolean;
  stop(): Promise<void>;
}
export interface SweepingPorts {
  readonly work: () => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Resolves when nothing is left to do until somebody asks. */
  readonly idle: () => Promise<void>;
}

/** A run looks at everything that is wanted: with ten thousand files it takes seconds, which those who fetch them need more. */
const REST_FOR_EACH_MS = 9;

export function openSweeping({ work, onError, idle }: SweepingPorts): Sweeping {
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  let again = false;
  let isInTurn = false;
  let restMs = 0;
  const untilIdle = shared(idle);
  const run = async () => {
    while (again && !ending.signal.aborted) {
      again = false;
      const began = performance.now();
      await work().catch(onError);
      restMs = (performance.now() - began) * REST_FOR_EACH_MS;
    }
  };
  const ask = () => {
    if (ending.signal.aborted) return;
    again = true;
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  const rest = async () => {
    await running;
    const over = new AbortController();
    const rested = setTimeout(restMs, undefined, { signal: AbortSignal.any([over.signal, ending.signal]) });
    await Promise.race([rested, untilIdle()]).catch(() => undefined);
    over.abort();
    await rested.catch(() => undefined);
    isInTurn = false;
    ask();
  };
  return {
    ask,
    askInTurn() {
      if (isInTurn) return;
      isInTurn = true;
      void rest();
    },
    async settled() {
      while (running !== undefined) await running;
    },
    isStopped: () => ending.signal.aborted,
    async stop() {
      ending.abort();
      while (running !== undefined) await running;
    },
  };
}

/** One wait for all: a queue may have to look again and again to know. */
function shared(wait: () => Promise<void>): () => Promise<void> {
  let waiting: Promise<void> | undefined;
  return () => {
    waiting ??= wait().finally(() => {
      waiting = undefined;
    });
    return waiting;
  };
}
