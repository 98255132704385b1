import type { JobEvent } from '@granary/contract/ports';
import { toInstant } from '@granary/core/model';
import { z } from 'zod';
import { errorText, JobSchema } from './job-record.ts';

const EventRecord = z
  .discriminatedUnion('type', [
    z.object({ type: z.enum(['queued', 'started', 'done']), job: JobSchema }),
    z.object({ type: z.literal('retrying'), job: JobSchema, atMs: z.number(), error: z.string() }),
    z.object({ type: z.literal('gave-up'), job: JobSchema, error: z.string() }),
  ])
  .transform((record): JobEvent => {
    switch (record.type) {
      case 'retrying':
        return { type: 'retrying', job: record.job, at: toInstant(record.atMs), error: new Error(record.error) };
      case 'gave-up':
        return { type: 'gave-up', job: record.job, error: new Error(record.error) };
      default:
        return record;
    }
  });

export function encodeEvent(event: JobEvent): string {
  const { type, job } = event;
  if (type === 'retrying') return JSON.stringify({ type, job, atMs: Date.parse(event.at), error: errorText(event.error) });
  return JSON.stringify(type === 'gave-up' ? { type, job, error: errorText(event.error) } : { type, job });
}

/** Undefined for what another version wrote and this one doesn't know. */
export function decodeEvent(text: string | undefined): JobEvent | undefined {
  try {
    return EventRecord.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}
