import { RepositoryError } from '@granary/contract/ports';
import { batchContents } from './batch-contents.ts';
import { gitBytes } from './git-bytes.ts';
import { gitLines } from './git-lines.ts';
import type { LookUp } from './look-up-objects.ts';

const WALK_MS = 600_000;
const WHAT = 'look for small files';

export interface SmallFileLimits {
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/**
 * Reads the files of a size that stand in the trees of commits or are named themselves, each once: git reads every tree once, however many commits have it. Three processes, each of
 * which is given what the one before it finds at the speed at which it takes it: nothing here grows with the repository.
 */
export async function smallFiles(lookUp: LookUp, tips: readonly string[], limits: SmallFileLimits, read: (contents: Uint8Array) => void): Promise<void> {
  if (tips.length === 0) return;
  const { runner, places, signal } = lookUp;
  const printed = gitBytes(runner, WHAT, {
    args: ['cat-file', '--batch', '--buffer'],
    places,
    timeoutMs: WALK_MS,
    input: withSize(lookUp, listed(lookUp, tips, limits), limits),
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const contents of batchContents(WHAT, printed, limits)) read(contents);
}

/** git-rev-list(1): the filter leaves out what is no blob or larger, and what was asked for is listed all the same. */
async function* listed({ runner, places, signal }: LookUp, tips: readonly string[], { maxBytes, maxFiles }: SmallFileLimits): AsyncGenerator<string> {
  const filter = `--filter=combine:object:type=blob+blob:limit=${maxBytes + 1}`;
  const lines = gitLines(runner, WHAT, {
    args: ['rev-list', '--objects', '--no-walk=unsorted', '--no-object-names', filter, '--stdin'],
    places,
    timeoutMs: WALK_MS,
    input: new Set(tips),
    ...(signal === undefined ? {} : { signal }),
  });
  let count = 0;
  for await (const line of lines) {
    count += 1;
    if (count > maxFiles + tips.length) throw new RepositoryError('too-large', `${WHAT}: more than ${maxFiles} files of at most ${maxBytes} bytes`);
    yield line;
  }
}

/** Without what is no blob, and what is too small or too large. */
async function* withSize(
  { runner, places, signal }: LookUp,
  objectIds: AsyncIterable<string>,
  { minBytes, maxBytes }: SmallFileLimits,
): AsyncGenerator<string> {
  const lines = gitLines(runner, WHAT, {
    args: ['cat-file', '--batch-check=%(objecttype) %(objectsize) %(objectname)', '--buffer'],
    places,
    timeoutMs: WALK_MS,
    input: objectIds,
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const line of lines) {
    const [type, size, objectId] = line.split(' ');
    if (type === 'blob' && objectId !== undefined && Number(size) >= minBytes && Number(size) <= maxBytes) yield objectId;
  }
}
