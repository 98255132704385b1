import type { DatedCommit } from '@granary/contract/ports';
import { datedCommits } from './commits-touching.ts';
import { gitLines, runGit } from './git-lines.ts';
import { type LookUp, peelObjects } from './look-up-objects.ts';

const LOOK_UP_MS = 60_000;
const MAX_COMMITS = 16;
/** Fewer digits name too much of a large repository (git itself takes no fewer than four). */
const ID_PREFIX = /^[0-9a-f]{7,64}$/;

/** Commits that are here, whatever refs reach them, whose ids begin so (git-rev-parse(1), `--disambiguate`). */
export async function commitsNamed(lookUp: LookUp, idPrefix: string): Promise<readonly DatedCommit[]> {
  if (!ID_PREFIX.test(idPrefix)) return [];
  const options = { places: lookUp.places, timeoutMs: LOOK_UP_MS, ...(lookUp.signal === undefined ? {} : { signal: lookUp.signal }) };
  const named = await runGit(lookUp.runner, 'look up an abbreviated id', { args: ['rev-parse', `--disambiguate=${idPrefix}`], ...options });
  const peeled = await peelObjects(lookUp, named);
  const commits = named.filter((id) => peeled.get(id)?.type === 'commit' && peeled.get(id)?.objectId === id).slice(0, MAX_COMMITS);
  if (commits.length === 0) return [];
  return await datedCommits(
    gitLines(lookUp.runner, 'read the times of commits', { args: ['log', '--no-walk=unsorted', '--format=%H %ct', '--stdin'], input: commits, ...options }),
  );
}
