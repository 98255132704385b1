import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listFiles } from './list-files.ts';
import { readAdvisory } from './read-advisory.ts';

export interface BrokenFile {
  readonly path: string;
  readonly why: string;
}
/** Which file tells of which package. What the files say is read when somebody asks. */
export interface FolderIndex {
  /** Paths below the folder, by ecosystem, then by package. */
  readonly packages: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  /** Advisories in force. */
  readonly count: number;
  /** When the last of them was changed, as it says itself. */
  readonly newest: string | undefined;
  readonly broken: readonly BrokenFile[];
  /** For the next look: what hasn't changed isn't read again. */
  readonly files: ReadonlyMap<string, IndexedFile>;
}
interface IndexedFile {
  /** Of size, times and inode: whether it was replaced shows in these. */
  readonly state: string;
  readonly entry: FileEntry;
}
type FileEntry =
  | { readonly type: 'advisory'; readonly modified: string; readonly packages: readonly (readonly [ecosystem: string, name: string])[] }
  | { readonly type: 'withdrawn' }
  | { readonly type: 'broken'; readonly why: string };

export interface IndexOptions {
  readonly before?: FolderIndex | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of every file that was looked at. */
  readonly onFile?: (() => void) | undefined;
}

/** Files that are looked at at once: waiting for a disk is most of it. */
const AT_ONCE = 8;

/** Looks through a folder of OSV files. Rejects when the folder can't be listed, or when it is aborted. */
export async function indexFolder(folder: string, { before, signal, onFile }: IndexOptions = {}): Promise<FolderIndex> {
  const files = new Map<string, IndexedFile>();
  const paths = listFiles(folder);
  const work = async (): Promise<void> => {
    for await (const path of paths) {
      signal?.throwIfAborted();
      const file = await look(join(folder, path), before?.files.get(path));
      if (file !== undefined) files.set(path, file);
      onFile?.();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return summarize(files);
}

/** Undefined when it went meanwhile. */
async function look(file: string, known: IndexedFile | undefined): Promise<IndexedFile | undefined> {
  const state = await stateOf(file);
  if (state === undefined || state === known?.state) return state === undefined ? undefined : known;
  const entry = await readEntry(file);
  return entry && { state, entry };
}

async function stateOf(file: string): Promise<string | undefined> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await stat(file);
    return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readEntry(file: string): Promise<FileEntry | undefined> {
  const read = await readAdvisory(file);
  if (read === 'gone') return undefined;
  if (!read.ok) return { type: 'broken', why: read.why };
  const { withdrawn, modified, affected } = read.record;
  if (withdrawn) return { type: 'withdrawn' };
  const packages = new Map(affected.map(({ ecosystem, name }) => [`${ecosystem}\n${name}`, [ecosystem, name] as const]));
  return { type: 'advisory', modified, packages: [...packages.values()] };
}

function summarize(files: ReadonlyMap<string, IndexedFile>): FolderIndex {
  const packages = new Map<string, Map<string, string[]>>();
  const broken: BrokenFile[] = [];
  let count = 0;
  let newest: string | undefined;
  for (const [path, { entry }] of files) {
    if (entry.type === 'broken') broken.push({ path, why: entry.why });
    if (entry.type !== 'advisory') continue;
    count += 1;
    if (newest === undefined || entry.modified > newest) newest = entry.modified;
    for (const [ecosystem, name] of entry.packages) {
      const named = packages.get(ecosystem) ?? new Map<string, string[]>();
      packages.set(ecosystem, named);
      const paths = named.get(name);
      if (paths === undefined) named.set(name, [path]);
      else paths.push(path);
    }
  }
  return { packages, count, newest, broken, files };
}
