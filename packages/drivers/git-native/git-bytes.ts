import type { Readable } from 'node:stream';
import { feed } from './feed.ts';
import { gitFault } from './git-fault.ts';
import type { GitCommand, GitProcess, GitRunner } from './git-process.ts';

/** What ends a line: paths may hold any byte but NUL, so where there are paths it is that (`-z`). */
export type LineEnd = '\n' | '\0';
export type FedCommand = GitCommand & { readonly input?: Iterable<string> | AsyncIterable<string>; readonly inputEnd?: LineEnd };

const INPUT_CHUNK_LINES = 1000;

/**
 * The bytes that a git command prints, while it runs, given lines to read. Whoever stops listening ends it.
 * Throws what its input throws, and RepositoryError when it doesn't end with status 0; `what` says for whom.
 */
export async function* gitBytes(runner: GitRunner, what: string, command: FedCommand): AsyncGenerator<Buffer> {
  const process = runner.start(command);
  const fed = feedLines(command, process);
  let isDone = false;
  try {
    yield* untilDestroyed(process.stdout);
    const end = await process.ended;
    isDone = true;
    const fault = await fed;
    if (fault !== undefined) throw fault.cause;
    if (end.status !== 0 || end.stopped !== undefined) throw gitFault(what, end);
  } finally {
    if (!isDone) process.stop('abort');
    await Promise.all([process.ended, fed]);
  }
}

/** What went wrong with the lines, if anything did; the process is ended then, which would wait for more. */
async function feedLines(command: FedCommand, process: GitProcess): Promise<{ readonly cause: unknown } | undefined> {
  try {
    await feed(linesOf(command), process.stdin, () => undefined);
    return undefined;
  } catch (cause) {
    process.stop('abort');
    return { cause };
  }
}

async function* linesOf({ input = [], inputEnd = '\n' }: FedCommand): AsyncGenerator<Uint8Array> {
  let chunk: string[] = [];
  for await (const line of input) {
    chunk.push(line, inputEnd);
    if (chunk.length < 2 * INPUT_CHUNK_LINES) continue;
    yield Buffer.from(chunk.join(''));
    chunk = [];
  }
  if (chunk.length > 0) yield Buffer.from(chunk.join(''));
}

/** A stream that was destroyed ends: the status of its process says why. */
async function* untilDestroyed(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    if (!stream.destroyed) throw error;
  }
}
