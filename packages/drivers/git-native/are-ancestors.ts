import { gitLines } from './git-lines.ts';
import { type LookUp, peelObjects } from './look-up-objects.ts';
import { onTheWay } from './on-the-way.ts';

export interface AncestorPair {
  readonly before: string;
  readonly after: string;
}

const WALK_MS = 600_000;
/** Asks about every pair inside one namespace: making one costs more than the question. */
const EACH_PAIR = 'while read -r before after; do "$0" "$@" merge-base --is-ancestor "$before" "$after"; echo "$?"; done';

/**
 * For each pair, whether all that `before` names is part of the history of `after`. One walk over what is new finds all that simply go on;
 * git is asked about each of the others, which were rewritten, or came from another branch.
 */
export async function areAncestors(lookUp: LookUp, pairs: readonly AncestorPair[]): Promise<readonly boolean[]> {
  const commits = await commitsOf(lookUp, pairs);
  const named = pairs.map(({ before, after }) => ({ before: commits.get(before), after: commits.get(after) }));
  const asked = named.flatMap(({ before, after }) => (before === undefined || after === undefined || before === after ? [] : [{ before, after }]));
  const found = await onTheWay(lookUp, asked);
  const open = asked.map(textOf).filter((pair) => !found.has(pair));
  const answers = await ask(lookUp, [...new Set(open)]);
  return named.map(({ before, after }) => {
    if (before === undefined || after === undefined) return false;
    const pair = textOf({ before, after });
    return before === after || found.has(pair) || answers.get(pair) === true;
  });
}

function textOf({ before, after }: AncestorPair): string {
  return `${before} ${after}`;
}

async function commitsOf(lookUp: LookUp, pairs: readonly AncestorPair[]): Promise<ReadonlyMap<string, string>> {
  const peeled = await peelObjects(
    lookUp,
    pairs.flatMap(({ before, after }) => [before, after]),
  );
  return new Map([...peeled].flatMap(([asked, { objectId, type }]) => (type === 'commit' ? [[asked, objectId]] : [])));
}

async function ask({ runner, places, signal }: LookUp, pairs: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
  const answers = new Map<string, boolean>();
  if (pairs.length === 0) return answers;
  const lines = gitLines(runner, 'compare histories', {
    args: [],
    script: EACH_PAIR,
    places,
    timeoutMs: WALK_MS,
    input: pairs,
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const line of lines) answers.set(pairs[answers.size] ?? '', line === '0');
  return answers;
}
