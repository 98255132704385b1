import { opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** An export of one database has a few hundred thousand. */
const MAX_FILES = 1_000_000;
/** Databases that are kept as folders in folders have up to five. */
const MAX_DEPTH = 8;

/** Paths of the JSON files in a folder and below it, from there on; links are not followed. Throws what the file system says, and RangeError beyond a million files. */
export async function* listFiles(folder: string): AsyncGenerator<string> {
  let count = 0;
  for await (const path of walk(folder, '', MAX_DEPTH)) {
    count += 1;
    if (count > MAX_FILES) throw new RangeError(`more than ${MAX_FILES} files`);
    yield path;
  }
}

async function* walk(folder: string, below: string, depth: number): AsyncGenerator<string> {
  const inner: string[] = [];
  for await (const entry of await opendir(join(folder, below), { bufferSize: 256 })) {
    const path = join(below, entry.name);
    if (entry.isFile() && entry.name.endsWith('.json')) yield path;
    if (entry.isDirectory()) inner.push(path);
  }
  if (depth > 0) for (const path of inner) yield* walk(folder, path, depth - 1);
}
