import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** One file as it lies there: whether it was replaced shows in these. */
export interface ListedFile {
  /** Below the folder. */
  readonly path: string;
  /** Of size, time of change, and inode. */
  readonly state: string;
}

/** An export of one database has a few hundred thousand. */
const MAX_FILES = 1_000_000;
/** Databases that are kept as folders in folders have up to five. */
const MAX_DEPTH = 8;

/** The JSON files in a folder and below it; links are not followed. Throws what the file system says, and RangeError beyond a million files. */
export async function* listFiles(folder: string): AsyncGenerator<ListedFile> {
  let count = 0;
  for await (const path of walk(folder, '', MAX_DEPTH)) {
    count += 1;
    if (count > MAX_FILES) throw new RangeError(`more than ${MAX_FILES} files`);
    const found = await stateOf(join(folder, path));
    if (found !== undefined) yield { path, state: found };
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

/** Undefined when it went meanwhile. */
async function stateOf(file: string): Promise<string | undefined> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await stat(file);
    return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
