import { RepositoryError, type TreeEntry } from '@granary/contract/ports';
import type { LookUp } from './look-up-objects.ts';
import { requireCommit } from './require-commit.ts';
import { type WalkedEntry, walkTree } from './walk-tree.ts';

/** Of all paths together: an entry has some 60 bytes of it where people work, and thousands where a tree was made to be large. */
const PATH_BYTES_PER_ENTRY = 256;
const MIN_PATH_BYTES = 1024 * 1024;
const LINK = 0o120000;
const OWNER_MAY_RUN = 0o100;
/** A mark of byte order is part of a name. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Files, links and submodules of a commit, without those whose names are no UTF-8. Throws RepositoryError `too-large`, `incomplete`. */
export async function readTree(lookUp: LookUp, objectId: string, { maxEntries }: { readonly maxEntries: number }): Promise<readonly TreeEntry[]> {
  const what = `read the tree of ${objectId}`;
  const commit = await requireCommit(lookUp, what, objectId);
  const maxPathBytes = Math.max(MIN_PATH_BYTES, PATH_BYTES_PER_ENTRY * maxEntries);
  const entries: TreeEntry[] = [];
  const counted = { entries: 0, folders: 0, pathBytes: 0 };
  for await (const walked of walkTree(lookUp, what, commit)) {
    counted[walked.type === 'tree' ? 'folders' : 'entries'] += 1;
    counted.pathBytes += walked.pathBytes.length;
    if (Math.max(counted.entries, counted.folders) > maxEntries) throw new RepositoryError('too-large', `${what}: more than ${maxEntries} entries`);
    if (counted.pathBytes > maxPathBytes) throw new RepositoryError('too-large', `${what}: more than ${maxPathBytes} bytes of paths`);
    const entry = entryOf(walked);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function entryOf({ mode, type, objectId, sizeBytes, pathBytes }: WalkedEntry): TreeEntry | undefined {
  const path = textOf(pathBytes);
  if (type === 'tree' || path === undefined) return undefined;
  const isFile = type === 'blob' && mode !== LINK;
  return {
    path,
    type: type === 'commit' ? 'submodule' : isFile ? 'file' : 'link',
    isExecutable: isFile && (mode & OWNER_MAY_RUN) !== 0,
    objectId,
    sizeBytes,
  };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return undefined;
  }
}
