import { gitLines } from './git-lines.ts';
import { type LookUp, peelObjects } from './look-up-objects.ts';

const WALK_MS = 600_000;

/** Commits in the history of what these objects come to and themselves, newest first by the times that they state, at most `max`. What isn't here, or no commit, has none. */
export async function historyOf(lookUp: LookUp, objectIds: readonly string[], max: number): Promise<readonly string[]> {
  const peeled = await peelObjects(lookUp, objectIds);
  const commits = [...peeled.values()].flatMap(({ objectId, type }) => (type === 'commit' ? [objectId] : []));
  if (commits.length === 0 || max <= 0) return [];
  const found: string[] = [];
  const lines = gitLines(lookUp.runner, 'read history', {
    args: ['rev-list', `--max-count=${Math.floor(max)}`, '--stdin'],
    places: lookUp.places,
    timeoutMs: WALK_MS,
    input: commits,
    ...(lookUp.signal === undefined ? {} : { signal: lookUp.signal }),
  });
  for await (const line of lines) found.push(line);
  return found;
}
