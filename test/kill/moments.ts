import { z } from 'zod';

/** What a process can be about when it dies: the stages of the queue's jobs, the two phases of a build, and writing a batch to a ledger. */
export const MOMENTS = ['demand', 'sync', 'plan', 'fetch', 'build', 'judge', 'attest', 'drain'] as const;
export type Moment = (typeof MOMENTS)[number];

const Line = z.discriminatedUnion('event', [
  z.object({ event: z.enum(['queued', 'started', 'done', 'retrying', 'gave-up']), stage: z.string(), id: z.string(), error: z.string().optional() }),
  z.object({ event: z.literal('phase'), id: z.string(), name: z.string(), state: z.enum(['started', 'ended']) }),
  z.object({ event: z.literal('batch'), id: z.string(), state: z.enum(['started', 'ended']) }),
  z.object({ event: z.literal('note'), text: z.string() }),
]);
type Line = z.output<typeof Line>;

/** Something began or ended. */
export interface Change {
  readonly moment: Moment;
  readonly id: string;
  readonly state: 'started' | 'ended';
}

/** What `granary up --events` is about, read off its lines. */
export interface Following {
  /** Resolves a line to the change that it tells of, if any. */
  read(line: string): Change | undefined;
  /** What is going on now. */
  readonly inside: () => ReadonlySet<Moment>;
  /** What went wrong so far, for people. */
  readonly complaints: readonly string[];
}

export function followLines(): Following {
  const running = new Map<string, Moment>();
  const complaints: string[] = [];
  return {
    read(text) {
      const line = parseLine(text);
      if (line === undefined || (line.event !== 'phase' && line.event !== 'batch' && complaintOf(line) !== undefined)) {
        complaints.push(line === undefined ? text : (complaintOf(line) ?? text));
      }
      const change = line === undefined ? undefined : changeOf(line);
      if (change === undefined) return undefined;
      const key = `${change.moment} ${change.id}`;
      if (change.state === 'started') running.set(key, change.moment);
      else running.delete(key);
      return change;
    },
    inside: () => new Set(running.values()),
    complaints,
  };
}

function parseLine(text: string): Line | undefined {
  try {
    return Line.parse(JSON.parse(text));
  } catch {
    return undefined; // An error that ends the process is said in plain words.
  }
}

function complaintOf(line: Line): string | undefined {
  if (line.event === 'note') return /refused|stumbled|answering/.test(line.text) ? line.text : undefined;
  if (line.event === 'retrying' || line.event === 'gave-up') return `${line.event} ${line.id}: ${line.error ?? ''}`;
  return undefined;
}

function changeOf(line: Line): Change | undefined {
  switch (line.event) {
    case 'batch':
      return { moment: 'drain', id: line.id, state: line.state };
    case 'phase':
      return line.name === 'fetch' || line.name === 'build' ? { moment: line.name, id: line.id, state: line.state } : undefined;
    case 'note':
    case 'queued':
      return undefined;
    case 'started':
    case 'done':
    case 'retrying':
    case 'gave-up': {
      const moment = MOMENTS.find((known) => known === line.stage);
      return moment === undefined ? undefined : { moment, id: line.id, state: line.event === 'started' ? 'started' : 'ended' };
    }
  }
}
