import { type FedCommand, gitBytes, type LineEnd } from './git-bytes.ts';
import type { GitRunner } from './git-process.ts';

const MAX_LINE_CHARACTERS = 65_536;

/** As gitBytes, a line at a time, a character for each byte; a line that goes beyond 65,536 may be cut there. */
export async function* gitLines(runner: GitRunner, what: string, command: FedCommand & { readonly outputEnd?: LineEnd }): AsyncGenerator<string> {
  let open = '';
  for await (const chunk of gitBytes(runner, what, command)) {
    const lines = (open + chunk.toString('latin1')).split(command.outputEnd ?? '\n');
    open = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
    yield* lines;
  }
  if (open !== '') yield open;
}

/** As {@link gitLines}, for what is run for its effect, or whose output is short. */
export async function runGit(runner: GitRunner, what: string, command: FedCommand): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of gitLines(runner, what, command)) lines.push(line);
  return lines;
}
