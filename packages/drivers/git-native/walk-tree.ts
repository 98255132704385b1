import { RepositoryError } from '@granary/contract/ports';
import { gitLines } from './git-lines.ts';
import type { LookUp } from './look-up-objects.ts';
import { MAX_PATH_BYTES } from './tree-path.ts';

/** A tree may name another a thousand times over: whoever walks counts, and this ends what never comes to a count. */
const WALK_MS = 300_000;
const RECORD = /^(\d{6}) (blob|tree|commit) ([0-9a-f]+) +(\d+|-)\t(.+)$/s;

export interface WalkedEntry {
  /** git's, such as 0o100644. */
  readonly mode: number;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly objectId: string;
  /** 0 for folders and submodules. */
  readonly sizeBytes: number;
  readonly pathBytes: Uint8Array;
}

/** Everything below a commit's root in git's order, folders before what they hold (git-ls-tree(1), -l). Throws RepositoryError `too-large` for a path of more than 4096 bytes. */
export async function* walkTree({ runner, places, signal }: LookUp, what: string, commit: string): AsyncGenerator<WalkedEntry> {
  const records = gitLines(runner, what, {
    args: ['ls-tree', '-r', '-t', '-l', '-z', '--full-tree', commit],
    places,
    timeoutMs: WALK_MS,
    outputEnd: '\0',
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const record of records) {
    const [, mode = '', type, objectId = '', size, path = ''] = RECORD.exec(record) ?? [];
    if (type !== 'blob' && type !== 'tree' && type !== 'commit') throw new RepositoryError('malformed', `${what}: git printed what is no entry of a tree`);
    if (path.length > MAX_PATH_BYTES) throw new RepositoryError('too-large', `${what}: a path of more than ${MAX_PATH_BYTES} bytes`);
    yield { mode: Number.parseInt(mode, 8), type, objectId, sizeBytes: size === '-' ? 0 : Number(size), pathBytes: Buffer.from(path, 'latin1') };
  }
}
