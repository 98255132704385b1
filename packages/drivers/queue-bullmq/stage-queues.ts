import { type Clock, type Job, type JobEvent, STAGES, type Stage } from '@granary/contract/ports';
import { toInstant } from '@granary/core/model';
import { Queue as BullQueue } from 'bullmq';
import { firstRecord, JobRecord, keyOf, priorityOf } from './job-record.ts';
import type { QueueKeys } from './queue-keys.ts';
import type { RedisLinks } from './redis-links.ts';

/** Jobs in one round trip. */
const PAGE = 500;
/** Of each stage; more than that nobody waits for. */
const MAX_TOLD = 20_000;
const DELAYED_SCALE = 4096;
/** BullMQ's own stream of events is read by nobody here. */
const UNREAD = { events: { maxLen: 10 } };

export interface StageQueuesParts {
  readonly links: RedisLinks;
  readonly keys: QueueKeys;
  readonly clock: Clock;
}

/** The queues of all stages as who adds and watches sees them. */
export class StageQueues {
  readonly #links: RedisLinks;
  readonly #keys: QueueKeys;
  readonly #clock: Clock;
  readonly #queues: ReadonlyMap<Stage, BullQueue>;

  constructor({ links, keys, clock }: StageQueuesParts) {
    this.#links = links;
    this.#keys = keys;
    this.#clock = clock;
    this.#queues = new Map(STAGES.map((stage) => [stage, openQueue(stage, links, keys.prefix)]));
  }

  /** Adds what isn't there. `announce` is called with each part before it is added, for its events precede what becomes of it. Throws QueueError. */
  async add(jobs: readonly Job[], announce: (jobs: readonly Job[]) => Promise<void>): Promise<void> {
    for (const [stage, queue] of this.#queues) {
      const ofStage = [...new Map(jobs.filter((job) => job.stage === stage).map((job) => [keyOf(job.id), job]))];
      if (ofStage.length === 0) continue;
      while (await this.#links.ask('look for jobs that rest', () => this.#forgetRested(stage, queue)));
      for (let start = 0; start < ofStage.length; start += PAGE) {
        const page = ofStage.slice(start, start + PAGE);
        await this.#links.ask(`add ${page.length} jobs to ${stage}`, async () => {
          const { fresh, known } = await this.#sort(stage, page);
          if (fresh.length > 0) {
            await announce(fresh.map(([, job]) => job));
            await queue.addBulk(fresh.map(toAdd));
          }
          for (const [key, job] of known) if (job.urgency === 'emergency') await hasten(queue, key, job);
        });
      }
    }
  }

  /** Nothing queued, running or about to be retried at this moment, or nearly so: it is asked stage by stage. */
  async isIdle(): Promise<boolean> {
    const now = Date.parse(this.#clock.now());
    if ((await this.#links.asking.zcount(this.#keys.soon, `(${now}`, '+inf')) > 0) return false;
    for (const [stage, queue] of this.#queues) {
      const { wait = 0, prioritized = 0, active = 0, delayed = 0 } = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed');
      if (wait + prioritized + active > 0) return false;
      // A retry whose time has come, though no worker of its stage has seen it yet.
      if (delayed > 0 && (await this.#links.asking.zcount(this.#keys.delayed(stage), '-inf', (now + 1) * DELAYED_SCALE)) > 0) return false;
    }
    return true;
  }

  /** What rests, or waits for a later retry, as the events that said so. */
  async before(): Promise<readonly JobEvent[]> {
    const events: JobEvent[] = [];
    for (const queue of this.#queues.values()) {
      for await (const { job, pause } of recordsOf(queue)) {
        if (pause === undefined) continue;
        const error = new Error(pause.error);
        if (pause.kind === 'later') events.push({ type: 'retrying', job, at: toInstant(pause.untilMs), error });
        if (pause.kind === 'rest' && pause.untilMs > Date.parse(this.#clock.now())) events.push({ type: 'gave-up', job, error });
      }
    }
    return events;
  }

  /** Runs a job that waits although its time has come. */
  async promote(stage: Stage, key: string): Promise<void> {
    const job = await this.#queues.get(stage)?.getJob(key);
    const pause = JobRecord.safeParse(job?.data).data?.pause;
    if (job === undefined || pause === undefined || pause.untilMs > Date.parse(this.#clock.now())) return;
    if (await job.isDelayed()) await job.promote();
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.close();
  }

  async #sort(stage: Stage, jobs: readonly KeyedJob[]): Promise<{ readonly fresh: readonly KeyedJob[]; readonly known: readonly KeyedJob[] }> {
    const pipeline = this.#links.asking.pipeline();
    for (const [key] of jobs) pipeline.exists(this.#keys.job(stage, key));
    const answers = (await pipeline.exec()) ?? [];
    const known = new Set<KeyedJob>();
    for (const [index, [error, exists]] of answers.entries()) {
      if (error !== null) throw error;
      const job = jobs[index];
      if (exists === 1 && job !== undefined) known.add(job);
    }
    return { fresh: jobs.filter((job) => !known.has(job)), known: [...known] };
  }

  /** What gave up and has rested long enough may come again; true when there may be more of it. */
  async #forgetRested(stage: Stage, queue: BullQueue): Promise<boolean> {
    const resting = this.#keys.resting(stage);
    const rested = await this.#links.asking.zrangebyscore(resting, '-inf', Date.parse(this.#clock.now()), 'LIMIT', 0, PAGE);
    if (rested.length === 0) return false;
    for (const key of rested) {
      const job = await queue.getJob(key);
      if (job !== undefined && (await job.isFailed())) await job.remove();
    }
    await this.#links.asking.zrem(resting, ...rested);
    return rested.length === PAGE;
  }
}

type KeyedJob = readonly [key: string, job: Job];

function openQueue(stage: Stage, { asking }: RedisLinks, prefix: string): BullQueue {
  const queue = new BullQueue(stage, { connection: asking, prefix, streams: UNREAD });
  // Who asks is told by the rejection; the connection is watched elsewhere.
  queue.on('error', () => undefined);
  return queue;
}

function toAdd([jobId, job]: KeyedJob) {
  return {
    name: job.stage,
    data: firstRecord(job),
    opts: { jobId, priority: priorityOf(job), removeOnComplete: true, removeOnFail: false, stackTraceLimit: 0 },
  };
}

async function hasten(queue: BullQueue, key: string, job: Job): Promise<void> {
  const queued = await queue.getJob(key);
  const priority = priorityOf(job);
  if (queued !== undefined && queued.priority > priority) await queued.changePriority({ priority });
}

async function* recordsOf(queue: BullQueue): AsyncIterable<JobRecord> {
  for (const state of ['delayed', 'failed'] as const) {
    for (let start = 0; start < MAX_TOLD; start += PAGE) {
      const jobs = await queue.getJobs([state], start, start + PAGE - 1, true);
      for (const job of jobs) {
        const record = JobRecord.safeParse(job?.data).data;
        if (record !== undefined) yield record;
      }
      if (jobs.length < PAGE) break;
    }
  }
}
