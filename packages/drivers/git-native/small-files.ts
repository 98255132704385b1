import { RepositoryError } from '@granary/contract/ports';
import { gitLines } from './git-lines.ts';
import { type LookUp, objectHeaders } from './look-up-objects.ts';

const WALK_MS = 600_000;
const WHAT = 'look for small files';

export interface SmallFileLimits {
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Ids of the files of a size that stand in the trees of commits or are named themselves, each once: git reads every tree once, however many commits have it. */
export async function smallFiles(lookUp: LookUp, tips: readonly string[], { minBytes, maxBytes, maxFiles }: SmallFileLimits): Promise<readonly string[]> {
  if (tips.length === 0) return [];
  const { runner, places, signal } = lookUp;
  const objectIds = new Set<string>();
  // git-rev-list(1): the filter leaves out what is no blob or larger, and what was asked for is listed all the same.
  const filter = `--filter=combine:object:type=blob+blob:limit=${maxBytes + 1}`;
  const lines = gitLines(runner, WHAT, {
    args: ['rev-list', '--objects', '--no-walk=unsorted', '--no-object-names', filter, '--stdin'],
    places,
    timeoutMs: WALK_MS,
    input: new Set(tips),
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const line of lines) {
    objectIds.add(line);
    if (objectIds.size > maxFiles + tips.length) throw new RepositoryError('too-large', `${WHAT}: more than ${maxFiles} files of at most ${maxBytes} bytes`);
  }
  const headers = await objectHeaders(lookUp, [...objectIds]);
  return [...headers].flatMap(([objectId, { type, sizeBytes }]) => (type === 'blob' && sizeBytes >= minBytes && sizeBytes <= maxBytes ? [objectId] : []));
}
