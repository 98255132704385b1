import type { DatedCommit } from '@granary/contract/ports';
import { type Instant, toInstant } from '@granary/core/model';
import { gitLines } from './git-lines.ts';
import { type LookUp, peelObjects } from './look-up-objects.ts';
import { isTreePath } from './tree-path.ts';

const WALK_MS = 600_000;
/** The last second that RFC 3339 can say. */
const MAX_SECONDS = 253_402_300_799;

export interface PathHistory {
  readonly path: string;
  readonly max: number;
}

/**
 * Commits in the history of what these objects come to that changed something below a path, newest first. Merges are walked on all sides (`--full-history`): a release may
 * have been made on a branch of which a merge took nothing.
 */
export async function commitsTouching(lookUp: LookUp, tips: readonly string[], { path, max }: PathHistory): Promise<readonly DatedCommit[]> {
  if (max < 1 || !isTreePath(path)) return [];
  const peeled = await peelObjects(lookUp, tips);
  const commits = new Set([...peeled.values()].flatMap(({ objectId, type }) => (type === 'commit' ? [objectId] : [])));
  if (commits.size === 0) return [];
  const lines = gitLines(lookUp.runner, 'read the history of a path', {
    args: [
      ...['--literal-pathspecs', 'log', '--full-history', '--format=%H %ct', `--max-count=${Math.floor(max)}`, '--stdin', '--'],
      ...(path === '' ? [] : [path]),
    ],
    places: lookUp.places,
    timeoutMs: WALK_MS,
    input: commits,
    ...(lookUp.signal === undefined ? {} : { signal: lookUp.signal }),
  });
  const found = await datedCommits(lines);
  // git walks from child to parent, whose clock may have been ahead.
  return found.toSorted((a, b) => (a.committedAt < b.committedAt ? 1 : a.committedAt > b.committedAt ? -1 : 0));
}

/** Reads lines of `%H %ct` (git-log(1)). */
export async function datedCommits(lines: AsyncIterable<string>): Promise<readonly DatedCommit[]> {
  const found: DatedCommit[] = [];
  for await (const line of lines) {
    const [objectId = '', seconds = ''] = line.split(' ');
    found.push({ objectId, committedAt: instantOf(seconds) });
  }
  return found;
}

/** As the commit has it, which may be no time at all: that is 1970, as git shows it. */
function instantOf(seconds: string): Instant {
  const isTime = /^\d{1,12}$/.test(seconds) && Number(seconds) <= MAX_SECONDS;
  return toInstant(isTime ? Number(seconds) * 1000 : 0);
}
