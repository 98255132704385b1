import type { AncestorPair } from './are-ancestors.ts';
import { gitLines } from './git-lines.ts';
import type { LookUp } from './look-up-objects.ts';

const WALK_MS = 600_000;
/** Beyond these the pairs stay open: the graph is held in memory, and what a stranger's history costs must end. */
const MAX_COMMITS = 500_000;
const MAX_STEPS = 20_000_000;

/** Pairs, as text, of which `before` is met on the way down from `after` before anything that some other `before` reaches: certain, but not all that there are. */
export async function onTheWay(lookUp: LookUp, pairs: readonly AncestorPair[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  // One question costs less than a walk.
  if (pairs.length < 2) return found;
  const parents = await newCommits(lookUp, pairs);
  let steps = 0;
  for (const { before, after } of pairs) {
    const seen = new Set([after]);
    const open = [after];
    for (let commit = open.pop(); commit !== undefined && steps < MAX_STEPS; commit = open.pop()) {
      for (const parent of parents.get(commit) ?? []) {
        steps += 1;
        if (parent === before) found.add(`${before} ${after}`);
        if (seen.has(parent)) continue;
        seen.add(parent);
        open.push(parent);
      }
      if (found.has(`${before} ${after}`)) break;
    }
  }
  return found;
}

/** Commits that some `after` reaches and no `before` does, with their parents (git-rev-list(1), --parents). */
async function newCommits({ runner, places, signal }: LookUp, pairs: readonly AncestorPair[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const parents = new Map<string, readonly string[]>();
  const lines = gitLines(runner, 'walk new history', {
    args: ['rev-list', '--parents', `--max-count=${MAX_COMMITS}`, '--stdin'],
    places,
    timeoutMs: WALK_MS,
    input: new Set(pairs.flatMap(({ before, after }) => [after, `^${before}`])),
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const line of lines) {
    const [commit = '', ...rest] = line.split(' ');
    parents.set(commit, rest);
  }
  return parents;
}
