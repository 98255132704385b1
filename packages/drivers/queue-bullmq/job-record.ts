import { createHash } from 'node:crypto';
import { type Job, STAGES } from '@granary/contract/ports';
import { z } from 'zod';

export const JobSchema = z.object({
  id: z.string(),
  stage: z.enum(STAGES),
  label: z.string(),
  urgency: z.enum(['emergency', 'whenever']).exactOptional(),
  payload: z.unknown(),
}) satisfies z.ZodType<Job>;

/** Why a job doesn't run now: it waits for a retry, or rests after it gave up. */
const Pause = z.object({ kind: z.enum(['at-once', 'later', 'rest']), untilMs: z.number(), error: z.string() });

/** What Redis holds of a job. Another version may have written it. */
export const JobRecord = z.object({
  job: JobSchema,
  attempt: z.int().positive(),
  failures: z.object({ atOnce: z.int(), later: z.int() }),
  /** Of BullMQ's count of stalls: those before its last failure, which are forgiven. */
  stallsBefore: z.int(),
  pause: Pause.exactOptional(),
});
export type JobRecord = z.output<typeof JobRecord>;

export function firstRecord(job: Job): JobRecord {
  return { job, attempt: 1, failures: { atOnce: 0, later: 0 }, stallsBefore: 0 };
}

/** BullMQ refuses ids with `:` and ids that are numbers; ours are sentences. */
export function keyOf(id: string): string {
  return `j${createHash('sha256').update(id).digest('hex').slice(0, 40)}`;
}

/** BullMQ's priorities: 1 first, and within one in the order in which jobs came. */
const PRIORITIES = { emergency: 1, usual: 2, whenever: 3 } as const;

export function priorityOf({ urgency }: Job): number {
  return PRIORITIES[urgency ?? 'usual'];
}

/** Messages travel; a build's whole output does not. */
const MAX_ERROR_LENGTH = 4000;

export function errorText(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_LENGTH);
}
