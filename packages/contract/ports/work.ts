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
  readonly signal: AbortSignal;
  readonly attempt: number;
}

export type JobEvent =
  | { readonly type: 'queued' | 'started' | 'done'; readonly job: Job }
  | { readonly type: 'retrying'; readonly job: Job; readonly at: Instant; readonly error: Error }
  | { readonly type: 'gave-up'; readonly job: Job; readonly error: Error };

/** A hint, never the truth: losing it loses nothing. */
export interface Queue {
  /** Adds what isn't queued, running or waiting for its retry. */
  add(jobs: readonly Job[]): Promise<void>;
  /** Registers the only handler of a stage. `at-once` is retried 3 times with jitter, `later` after an hour, then a day (both configurable); any other error counts as `at-once`. */
  handle(stage: Stage, concurrency: number, handler: (job: Job, context: JobContext) => Promise<void>): void;
  /** Resolves when nothing is queued or running (what waits for a later retry doesn't count). */
  idle(): Promise<void>;
  /** Emits until stopped. */
  subscribe(listener: (event: JobEvent) => void): () => void;
  /** Takes no more jobs, aborts what runs, resolves when all handlers have returned. */
  stop(): Promise<void>;
}

export interface Clock {
  now(): Instant;
  /** Rejects when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
