import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, HandleOptions, Job, JobContext, JobEvent, RetryTimes, Stage } from '@granary/contract/ports';
import { type LimitedRun, planRetry, type RetryPlan, runLimited } from '@granary/contract/work';
import { toInstant } from '@granary/core/model';
import { type Job as BullJob, DelayedError, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { HELD_MS, type HungHandlers, hungHandlers } from './hung-handlers.ts';
import { errorText, JobRecord } from './job-record.ts';
import type { QueueKeys } from './queue-keys.ts';
import { isOfConnection, type RedisLinks } from './redis-links.ts';

/** How long a dead worker's jobs lie: until the lock ends, and somebody looks. */
export interface StallTimes {
  readonly lockMs: number;
  readonly checkMs: number;
}

export interface StageWorkerParts {
  readonly links: RedisLinks;
  readonly keys: QueueKeys;
  readonly clock: Clock;
  readonly times: RetryTimes;
  readonly stall: StallTimes;
  readonly append: (event: JobEvent) => Promise<void>;
  /** Runs a job that waits although its time has come. */
  readonly promote: (stage: Stage, key: string) => Promise<void>;
  readonly onNote: (text: string) => void;
}

export type Handler = (job: Job, context: JobContext) => Promise<void>;
export interface Handling extends HandleOptions {
  readonly handler: Handler;
}

/** A job that ends its process so often is not tried again. */
const MAX_STALLS = 5;
/** An idle worker looks by itself so often, for what nobody woke it for. */
const LOOK_S = 1;
/** The same fault is noted again after this. */
const QUIET_MS = 600_000;
/** How long Redis may take to end a worker whose handlers have returned. */
const CLOSE_MS = 3000;

/** Runs the jobs of one stage in this process. */
export class StageWorker {
  readonly #stage: Stage;
  readonly #parts: StageWorkerParts;
  readonly #worker: Worker;
  /** What to say once BullMQ has moved the job. */
  readonly #afterwards = new WeakMap<BullJob, JobEvent>();
  readonly #running = new Map<string, AbortController>();
  readonly #runs = new Set<Promise<void>>();
  readonly #saying = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #hung: HungHandlers;
  /** Faults that were noted, by when they may be noted again. */
  readonly #noted = new Map<string, number>();
  #handling: Handling;

  constructor(stage: Stage, handling: Handling, parts: StageWorkerParts) {
    this.#stage = stage;
    this.#handling = handling;
    this.#parts = parts;
    this.#hung = hungHandlers(parts, (error) => this.#note(error));
    this.#worker = new Worker(stage, (job, token) => this.#process(job, token), {
      connection: parts.links.working,
      prefix: parts.keys.prefix,
      concurrency: handling.concurrency,
      lockDuration: parts.stall.lockMs,
      stalledInterval: parts.stall.checkMs,
      // We count ourselves: what stalls and then fails in order is forgiven.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      drainDelay: LOOK_S,
      runRetryDelay: 1000,
    });
    this.#worker.on('completed', (job) => this.#say(this.#afterwards.get(job)));
    this.#worker.on('failed', (job, error) => this.#failed(job, error));
    this.#worker.on('lockRenewalFailed', (keys) => this.#lose(keys));
    this.#worker.on('error', (error) => this.#note(error));
  }

  handle(handling: Handling): void {
    this.#handling = handling;
    this.#worker.concurrency = handling.concurrency;
  }

  /** Aborts what runs and puts it back; resolves when all handlers have returned or have passed their time. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the queue stops'));
    const closed = this.#worker.close();
    await Promise.allSettled(this.#runs);
    const said = closed.then(() => Promise.allSettled(this.#saying));
    const ending = new AbortController();
    await Promise.race([said, sleep(CLOSE_MS, undefined, { signal: ending.signal }).catch(() => undefined)]);
    ending.abort();
  }

  async #process(bull: BullJob, token: string | undefined): Promise<void> {
    const { clock } = this.#parts;
    const key = bull.id ?? '';
    const record = JobRecord.parse(bull.data);
    const deaths = bull.stalledCounter - record.stallsBefore;
    if (record.pause?.kind === 'later' && (await this.#hung.isHeld(key))) return await this.#delay(bull, token, HELD_MS);
    if (deaths >= MAX_STALLS) return await this.#giveUp(bull, record, endedItsProcess(deaths, this.#parts.times));
    if (this.#stopping.signal.aborted) return await putBack(bull, token);
    this.#say({ type: 'started', job: record.job });
    const lost = new AbortController();
    this.#running.set(key, lost);
    const { handler, timeoutMs } = this.#handling;
    const stopping = AbortSignal.any([this.#stopping.signal, lost.signal]);
    const run = runLimited((signal) => handler(record.job, { signal, attempt: record.attempt + deaths }), { clock, timeoutMs, stopping });
    this.#runs.add(run.outcome);
    try {
      await run.outcome;
      this.#afterwards.set(bull, { type: 'done', job: record.job });
    } catch (error) {
      // What is no longer ours is none of our business: whoever has it says what becomes of it.
      if (lost.signal.aborted) throw error;
      if (this.#stopping.signal.aborted) return await putBack(bull, token);
      await this.#retry({ bull, token, record, run }, error);
    } finally {
      this.#runs.delete(run.outcome);
      if (this.#running.get(key) === lost) this.#running.delete(key);
    }
  }

  async #retry({ bull, token, record, run }: Failed, error: unknown): Promise<void> {
    const plan = planRetry(error, record.failures, { times: this.#parts.times, chance: Math.random() });
    if (plan.type === 'give-up') return await this.#giveUp(bull, record, { error, plan });
    const { links, keys, clock } = this.#parts;
    const key = bull.id ?? '';
    const untilMs = Date.parse(clock.now()) + plan.inMs;
    await this.#hung.hold({ stage: this.#stage, key, returned: run.returned });
    if (plan.when === 'at-once') await links.working.multi().zremrangebyscore(keys.soon, '-inf', Date.parse(clock.now())).zadd(keys.soon, untilMs, key).exec();
    const { job, attempt } = record;
    const pause = { kind: plan.when, untilMs, error: errorText(error) };
    await bull.updateData({ job, attempt: attempt + 1, failures: plan.failures, stallsBefore: bull.stalledCounter, pause } satisfies JobRecord);
    const delayed = this.#delay(bull, token, plan.inMs);
    // It rejects when it has succeeded: that is how BullMQ is told.
    await delayed.catch((reason: unknown) => {
      if (reason instanceof DelayedError) this.#say({ type: 'retrying', job, at: toInstant(untilMs), error: new Error(pause.error) });
      throw reason;
    });
  }

  async #giveUp(bull: BullJob, record: JobRecord, { error, plan }: GivenUp): Promise<never> {
    const { links, keys, clock } = this.#parts;
    const untilMs = Date.parse(clock.now()) + plan.restMs;
    const text = errorText(error);
    await links.working.zadd(keys.resting(this.#stage), untilMs, bull.id ?? '');
    await bull.updateData({ ...record, pause: { kind: 'rest', untilMs, error: text } } satisfies JobRecord);
    this.#afterwards.set(bull, { type: 'gave-up', job: record.job, error: new Error(text) });
    throw new UnrecoverableError(text);
  }

  async #delay(bull: BullJob, token: string | undefined, milliseconds: number): Promise<never> {
    await bull.moveToDelayed(Date.now() + milliseconds, token);
    throw new DelayedError();
  }

  #lose(keys: readonly string[]): void {
    for (const key of keys) this.#running.get(key)?.abort(new Error('another worker has taken the job over, or Redis was emptied'));
  }

  #failed(bull: BullJob | undefined, error: Error): void {
    const event = bull && this.#afterwards.get(bull);
    this.#say(event);
    if (event !== undefined || bull?.id === undefined) return;
    // Ours is the fault: a record that another version wrote, or Redis that refused in the middle. It would rest for ever.
    this.#note(error);
    const { links, keys, clock, times } = this.#parts;
    links.working.zadd(keys.resting(this.#stage), Date.parse(clock.now()) + times.restMs.exhausted, bull.id).catch((reason: unknown) => this.#note(reason));
  }

  #say(event: JobEvent | undefined): void {
    if (event === undefined) return;
    const saying = this.#parts
      .append(event)
      .catch((error: unknown) => this.#note(error))
      .finally(() => this.#saying.delete(saying));
    this.#saying.add(saying);
  }

  /** Seldom for each fault, without the ids in it; the connection is watched elsewhere. */
  #note(error: unknown): void {
    if (isOfConnection(error) || this.#stopping.signal.aborted) return;
    const text = textOf(error);
    const now = Date.parse(this.#parts.clock.now());
    if ((this.#noted.get(text) ?? 0) > now) return;
    this.#noted.set(text, now + QUIET_MS);
    this.#parts.onNote(`the queue of stage ${this.#stage}: ${text}`);
  }
}

/** What BullMQ says when a job that runs is no longer this worker's. */
const LOST = /^(missing (lock|key) for job|could not renew lock|lock mismatch|job .* is not in the active state)/i;

/** Without what differs from one time to the next. */
function textOf(error: unknown): string {
  const text = errorText(error);
  if (LOST.test(text)) return 'a job that ran was taken over by another worker, or lost when Redis was emptied';
  return text.replace(/\bj[0-9a-f]{40}\b/g, '…').replace(/ script: .*$/s, '');
}

interface Failed {
  readonly bull: BullJob;
  readonly token: string | undefined;
  readonly record: JobRecord;
  readonly run: LimitedRun;
}
interface GivenUp {
  readonly error: unknown;
  readonly plan: Extract<RetryPlan, { type: 'give-up' }>;
}

function endedItsProcess(deaths: number, { restMs }: RetryTimes): GivenUp {
  return { error: new Error(`it ended, or held up for long, the process that ran it ${deaths} times`), plan: { type: 'give-up', restMs: restMs.exhausted } };
}

/** As if it had not been taken: first of its urgency. */
async function putBack(bull: BullJob, token: string | undefined): Promise<never> {
  await bull.moveToWait(token);
  throw new WaitingError();
}
