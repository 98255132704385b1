import type { Readable } from 'node:stream';
import { feed } from './feed.ts';
import { gitFault } from './git-fault.ts';
import type { GitCommand, GitRunner } from './git-process.ts';

/** What ends a line: paths may hold any byte but NUL, so where there are paths it is that (`-z`). */
export type LineEnd = '\n' | '\0';
export type FedCommand = GitCommand & { readonly input?: Iterable<string>; readonly inputEnd?: LineEnd };

const INPUT_CHUNK_LINES = 1000;

/**
 * The bytes that a git command prints, while it runs, given lines to read. Whoever stops listening ends it.
 * Throws RepositoryError when it doesn't end with status 0; `what` says for whom.
 */
export async function* gitBytes(runner: GitRunner, what: string, command: FedCommand): AsyncGenerator<Buffer> {
  const process = runner.start(command);
  const fed = feed(linesOf(command), process.stdin, () => undefined);
  let isDone = false;
  try {
    yield* untilDestroyed(process.stdout);
    const end = await process.ended;
    isDone = true;
    if (end.status !== 0 || end.stopped !== undefined) throw gitFault(what, end);
  } finally {
    if (!isDone) process.stop('abort');
    await Promise.all([process.ended, fed]);
  }
}

async function* linesOf({ input = [], inputEnd = '\n' }: FedCommand): AsyncGenerator<Uint8Array> {
  let chunk: string[] = [];
  for (const line of input) {
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
