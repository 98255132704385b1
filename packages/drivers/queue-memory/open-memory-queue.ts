import type { Clock, HandleOptions, Job, JobContext, JobEvent, Queue, RetryTimes, Stage } from '@granary/contract/ports';
import { DEFAULT_RETRY_TIMES, type Failures, type LimitedRun, planRetry, runLimited } from '@granary/contract/work';
import { toInstant } from '@granary/core/model';

export interface MemoryQueueOptions {
  readonly clock: Clock;
  /** In [0, 1): spreads retries. */
  readonly random?: () => number;
  readonly retry?: RetryTimes;
}

/** A queue in this process: what is in it goes with the process, and the next sweep finds it again. */
export function openMemoryQueue(options: MemoryQueueOptions): Queue & AsyncDisposable {
  return new MemoryQueue(options);
}

interface Task {
  readonly job: Job;
  readonly attempt: number;
  readonly failures: Failures;
}
interface Handling extends HandleOptions {
  readonly handler: (job: Job, context: JobContext) => Promise<void>;
}
type Urgency = NonNullable<Job['urgency']> | 'usual';
interface Lane {
  /** In the order in which they run, by urgency. */
  readonly waiting: Readonly<Record<Urgency, Set<Task>>>;
  running: number;
  handling: Handling | undefined;
}

class MemoryQueue implements Queue, AsyncDisposable {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #times: RetryTimes;
  readonly #lanes = new Map<Stage, Lane>();
  /** Ids of jobs that are queued, run, wait for a retry or rest. */
  readonly #known = new Set<string>();
  readonly #runs = new Set<Promise<void>>();
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #stopping = new AbortController();
  #busy = 0;
  #idle = Promise.withResolvers<void>();

  constructor({ clock, random = Math.random, retry = DEFAULT_RETRY_TIMES }: MemoryQueueOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#times = retry;
  }

  async add(jobs: readonly Job[]): Promise<void> {
    const lanes = new Set<Lane>();
    for (const job of jobs) {
      if (this.#isStopped) continue;
      if (this.#known.has(job.id)) {
        if (job.urgency === 'emergency') hasten(this.#laneOf(job.stage), job.id);
        continue;
      }
      this.#known.add(job.id);
      this.#emit({ type: 'queued', job });
      lanes.add(this.#enqueue({ job, attempt: 1, failures: { atOnce: 0, later: 0 } }));
    }
    for (const lane of lanes) this.#pump(lane);
  }

  handle(stage: Stage, options: HandleOptions, handler: Handling['handler']): void {
    const lane = this.#laneOf(stage);
    lane.handling = { ...options, handler };
    this.#pump(lane);
  }

  async idle(): Promise<void> {
    if (this.#busy > 0 && !this.#isStopped) await this.#idle.promise;
  }

  subscribe(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the queue stops'));
    await Promise.allSettled(this.#runs);
    this.#listeners.clear();
    this.#idle.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #laneOf(stage: Stage): Lane {
    const lane = this.#lanes.get(stage) ?? { waiting: { emergency: new Set(), usual: new Set(), whenever: new Set() }, running: 0, handling: undefined };
    this.#lanes.set(stage, lane);
    return lane;
  }

  #enqueue(task: Task): Lane {
    const lane = this.#laneOf(task.job.stage);
    lane.waiting[task.job.urgency ?? 'usual'].add(task);
    this.#busy += 1;
    return lane;
  }

  #leave(): void {
    this.#busy -= 1;
    if (this.#busy > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  #pump(lane: Lane): void {
    for (const task of inOrder(lane)) {
      if (lane.handling === undefined || lane.running >= lane.handling.concurrency || this.#isStopped) return;
      for (const tasks of Object.values(lane.waiting)) tasks.delete(task);
      lane.running += 1;
      const run = this.#run(task, lane.handling).finally(() => {
        this.#runs.delete(run);
        lane.running -= 1;
        this.#pump(lane);
      });
      this.#runs.add(run);
    }
  }

  async #run(task: Task, { handler, timeoutMs }: Handling): Promise<void> {
    const { job, attempt } = task;
    this.#emit({ type: 'started', job });
    const limits = { clock: this.#clock, timeoutMs, stopping: this.#stopping.signal };
    const run = runLimited((signal) => handler(job, { signal, attempt }), limits);
    try {
      await run.outcome;
    } catch (error) {
      if (!this.#isStopped) this.#retry(task, run, error instanceof Error ? error : new Error(String(error), { cause: error }));
      return;
    }
    this.#known.delete(job.id);
    this.#emit({ type: 'done', job });
    this.#leave();
  }

  #retry({ job, attempt, failures }: Task, { returned }: LimitedRun, error: Error): void {
    const plan = planRetry(error, failures, { times: this.#times, chance: this.#random() });
    if (plan.type === 'give-up') {
      this.#emit({ type: 'gave-up', job, error });
      this.#leave();
      this.#after(plan.restMs, returned, () => this.#known.delete(job.id));
      return;
    }
    this.#emit({ type: 'retrying', job, at: this.#in(plan.inMs), error });
    if (plan.when === 'later') this.#leave();
    this.#after(plan.inMs, returned, () => {
      if (plan.when === 'at-once') this.#busy -= 1;
      this.#pump(this.#enqueue({ job, attempt: attempt + 1, failures: plan.failures }));
    });
  }

  /** Runs a step when the time has passed and the handler has returned; never, when the queue stops before. */
  #after(milliseconds: number, returned: Promise<void>, step: () => void): void {
    const wait = async (): Promise<void> => {
      try {
        await this.#clock.sleep(milliseconds, this.#stopping.signal);
      } catch {
        return;
      }
      await returned;
      if (!this.#isStopped) step();
    };
    void wait();
  }

  #in(milliseconds: number): ReturnType<Clock['now']> {
    return toInstant(Date.parse(this.#clock.now()) + milliseconds);
  }

  #emit(event: JobEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function* inOrder({ waiting }: Lane): Iterable<Task> {
  yield* waiting.emergency;
  yield* waiting.usual;
  yield* waiting.whenever;
}

function hasten({ waiting }: Lane, id: string): void {
  for (const tasks of [waiting.usual, waiting.whenever]) {
    const task = [...tasks].find(({ job }) => job.id === id);
    if (task === undefined) continue;
    tasks.delete(task);
    waiting.emergency.add(task);
  }
}
