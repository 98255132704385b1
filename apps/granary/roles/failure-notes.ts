import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Scheduler } from './scheduler.ts';

/** Why something that is wanted isn't there, as far as jobs tell. */
export interface FailureNote {
  /** The specification or the artifact that the job was for. */
  readonly subject: string;
  readonly error: string;
  /** When it is tried again, where that is known. */
  readonly retryAt?: string | undefined;
}

const MAX_NOTES = 20_000;
const MAX_ERROR_LENGTH = 1000;
const WRITE_EVERY_MS = 2000;
const Notes = z.array(z.object({ subject: z.string(), error: z.string(), retryAt: z.string().optional() })).max(MAX_NOTES);

/** What a job was for: queues keep payloads as JSON. */
export function subjectOf(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const found = new Map(Object.entries(payload));
  const subject = ['specification', 'purl', 'package', 'repository'].map((name) => found.get(name)).find((value) => value !== undefined);
  return typeof subject === 'string' ? subject : undefined;
}

/** A queue in one process's memory is seen by no other: what failed in it is noted in a file that may be deleted at any time. */
export function keepFailureNotes(file: string, scheduler: Pick<Scheduler, 'gaveUp' | 'waiting'>): AsyncDisposable {
  let written = '';
  const write = async () => {
    const text = JSON.stringify(notesOf(scheduler));
    if (text === written) return;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.part`, text);
    await rename(`${file}.part`, file);
    written = text;
  };
  let writing: Promise<void> | undefined;
  // A note that can't be written costs nothing but itself.
  const writeNow = async () => {
    writing ??= write()
      .catch(() => undefined)
      .finally(() => {
        writing = undefined;
      });
    await writing;
  };
  const timer = setInterval(() => void writeNow(), WRITE_EVERY_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await writing;
      await writeNow();
    },
  };
}

export async function readFailureNotes(file: string): Promise<readonly FailureNote[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  try {
    return Notes.parse(JSON.parse(text));
  } catch {
    return [];
  }
}

function notesOf({ gaveUp, waiting }: Pick<Scheduler, 'gaveUp' | 'waiting'>): readonly FailureNote[] {
  const all = [...gaveUp.values(), ...waiting.values()].slice(0, MAX_NOTES);
  return all.flatMap((failure) => {
    const subject = subjectOf(failure.job.payload);
    if (subject === undefined) return [];
    return [{ subject, error: failure.error.message.slice(0, MAX_ERROR_LENGTH), ...('at' in failure ? { retryAt: String(failure.at) } : {}) }];
  });
}
