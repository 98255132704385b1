import type { Readable } from 'node:stream';
import { feed } from './feed.ts';
import { gitFault } from './git-fault.ts';
import type { GitCommand, GitRunner } from './git-process.ts';

const MAX_LINE_CHARACTERS = 65_536;
const INPUT_CHUNK_LINES = 1000;

/**
 * The lines that a git command prints, while it runs, given lines to read. Whoever stops listening ends it.
 * Throws RepositoryError when it doesn't end with status 0; `what` says for whom.
 */
export async function* gitLines(runner: GitRunner, what: string, command: GitCommand & { readonly input?: Iterable<string> }): AsyncGenerator<string> {
  const process = runner.start(command);
  const fed = feed(linesOf(command.input ?? []), process.stdin, () => undefined);
  let isDone = false;
  try {
    yield* split(process.stdout);
    const end = await process.ended;
    isDone = true;
    if (end.status !== 0 || end.stopped !== undefined) throw gitFault(what, end);
  } finally {
    if (!isDone) process.stop('abort');
    await Promise.all([process.ended, fed]);
  }
}

/** As {@link gitLines}, for what is run for its effect, or whose output is short. */
export async function runGit(runner: GitRunner, what: string, command: GitCommand & { readonly input?: Iterable<string> }): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of gitLines(runner, what, command)) lines.push(line);
  return lines;
}

async function* linesOf(lines: Iterable<string>): AsyncGenerator<Uint8Array> {
  let chunk: string[] = [];
  for (const line of lines) {
    chunk.push(line, '\n');
    if (chunk.length < 2 * INPUT_CHUNK_LINES) continue;
    yield Buffer.from(chunk.join(''));
    chunk = [];
  }
  if (chunk.length > 0) yield Buffer.from(chunk.join(''));
}

/** A stream that was destroyed ends: the status of its process says why. */
async function* split(stream: Readable): AsyncGenerator<string> {
  let open = '';
  try {
    for await (const chunk of stream.setEncoding('latin1')) {
      const lines = (open + chunk).split('\n');
      open = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
      yield* lines;
    }
  } catch (error) {
    if (!stream.destroyed) throw error;
  }
  if (open !== '') yield open;
}
