import type { Instant } from '@granary/core/model';

/** The stages, in the order in which an artifact passes through them. */
export const STAGES = ['demand', 'sync', 'plan', 'rebuild', 'judge', 'attest'] as const;
export type Stage = (typeof STAGES)[number];

export interface Job {
  /** The same id is queued and run once at a time; a function of the job's input. */
  readonly id: string;
  readonly stage: Stage;
  /** What is being done, for people: `click 8.1.7`. */
  readonly label: string;
  /** `emergency`: before every other job of its stage; without any: as jobs come, such as those of new releases; `whenever`: after all others. */
  readonly urgency?: 'emergency' | 'whenever';
  /** A JSON value: it may travel to another process. */
  readonly payload: unknown;
}

/** How a job that threw is treated; `never` is for what only a change of its input can mend. */
export type Retry = 'at-once' | 'later' | 'never';
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly retry: Retry;
  constructor(retry: Retry, message: string, options?: ErrorOptions) {
    super(message, options);
    this.retry = retry;
  }
}

export interface JobContext {
  /** Aborts when the queue stops or the job's time is over. */
  readonly signal: AbortSignal;
  /** 1 the first time. */
  readonly attempt: number;
}

export type JobEvent =
  | { readonly type: 'queued' | 'started' | 'done'; readonly job: Job }
  | { readonly type: 'retrying'; readonly job: Job; readonly at: Instant; readonly error: Error }
  | { readonly type: 'gave-up'; readonly job: Job; readonly error: Error };

/** How long a queue waits, in milliseconds; the lengths of the lists are the numbers of retries. */
export interface RetryTimes {
  /** Before each retry of a job that failed `at-once`; half of it to one and a half, by chance. */
  readonly atOnceMs: readonly number[];
  /** Before each retry of a job that failed `later`. */
  readonly laterMs: readonly number[];
  /** How long a job that gave up is not taken again: after its retries, and after `never`. */
  readonly restMs: { readonly exhausted: number; readonly never: number };
}

export interface HandleOptions {
  /** How many jobs of the stage run at once. */
  readonly concurrency: number;
  /** After this a job's signal is aborted and its place is free, whether its handler has returned or not; it is retried `later`, once it has. */
  readonly timeoutMs: number;
}

/** A hint, never the truth: losing it loses nothing. */
export interface Queue {
  /**
   * Adds what isn't queued, running, waiting for its retry, or resting after it gave up. What is queued and now is an emergency moves up.
   * A queue that other processes share rejects within seconds when it can't be reached.
   */
  add(jobs: readonly Job[]): Promise<void>;
  /**
   * Registers the only handler of a stage. `at-once` is retried 3 times with jitter, `later` after an hour, then a day; any other
   * error counts as `at-once`. Jobs of one urgency run in the order in which they came; a retry comes last among them. A job whose
   * process dies is run by another; not for ever, if it is what ends them.
   */
  handle(stage: Stage, options: HandleOptions, handler: (job: Job, context: JobContext) => Promise<void>): void;
  /** Resolves when nothing is queued, running or about to be retried, in any process (what waits for a `later` retry or rests doesn't count). */
  idle(): Promise<void>;
  /**
   * Emits what happens to the jobs of all processes that share the queue, until stopped. What rests or waits for a `later` retry from before is
   * told first, as the event that it was (perhaps twice). An error of another process is told by its message alone. Listeners must not throw.
   */
  subscribe(listener: (event: JobEvent) => void): () => void;
  /**
   * Takes no more jobs, aborts what runs, resolves when all handlers have returned or have passed their time. What was aborted is
   * run again by another process, if there is one; it hasn't failed.
   */
  stop(): Promise<void>;
}

export interface Clock {
  now(): Instant;
  /** Rejects when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
