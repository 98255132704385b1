import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ObjectKey, parseObjectKey } from '@granary/core/layout';
import { errnoOf, onDisk } from './disk-error.ts';

/** Deeper than any key of the layout. */
const MAX_DEPTH = 32;

/** Keys below a prefix by code point, one folder in memory at a time per level. */
export async function* listKeys(root: string, prefix: string): AsyncIterable<ObjectKey> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (start !== '' && parseObjectKey(start.slice(0, -1)) === undefined) return;
  yield* walk(root, start, prefix);
}

async function* walk(root: string, folder: string, prefix: string): AsyncIterable<ObjectKey> {
  if (folder.split('/').length > MAX_DEPTH) return;
  const entries = await onDisk(`list ${folder}`, root, () => entriesOf(join(root, folder)));
  for (const path of entries.map((entry) => folder + sortName(entry)).sort()) {
    if (path.endsWith('/')) {
      if (path.startsWith(prefix) || prefix.startsWith(path)) yield* walk(root, path, prefix);
      continue;
    }
    const key = path.startsWith(prefix) ? parseObjectKey(path) : undefined;
    if (key !== undefined) yield key;
  }
}

/** `a-b` sorts before `a/…`: a folder counts with its slash, so that the whole listing is in order. */
function sortName(entry: Dirent): string {
  return entry.isFile() ? entry.name : `${entry.name}/`;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => (entry.isFile() || entry.isDirectory()) && parseObjectKey(entry.name) !== undefined);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
