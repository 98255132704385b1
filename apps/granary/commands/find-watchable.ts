import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Config } from '@granary/config';
import { EcosystemError } from '@granary/contract/ecosystem';
import { parseRepository } from '@granary/core/git';
import { ecosystems } from '@granary/ecosystems';
import { isSbomName, MAX_WATCHED_BYTES, type WatchedItem } from '@granary/stage-demand';
import { AppError } from '../app-error.ts';
import { describeProblem, wishesOfItem } from '../roles/watch-list.ts';

/** What stands on a command line, as things that can be watched. */
export interface Watchable {
  readonly items: readonly WatchedItem[];
  /** What was passed over, and why. */
  readonly left: readonly { readonly path: string; readonly why: string }[];
}
type Place = Pick<Config, 'watch' | 'file'> & { readonly cwd: string };

/** What others put there: their locks are not the product's. */
const NOT_OURS: ReadonlySet<string> = new Set(['node_modules', '.git', 'target', 'vendor', '.venv', '__pycache__']);
const MAX_DEPTH = 8;
const MAX_ENTRIES = 50_000;
const MAX_FOUND = 1000;

/** A purl, a lockfile or SBOM, or a folder with some in it. Throws AppError `usage` for what nobody understands, `not-found` for what isn't there. */
export async function findWatchable(place: Place, given: string): Promise<Watchable> {
  if (given.startsWith('pkg:')) return { items: [understood({ specification: given })], left: [] };
  const repository = parseRepository(given);
  if (repository !== undefined) return { items: [understood({ specification: repository.purl })], left: [] };
  const path = resolve(place.cwd, given);
  const found = await stat(path).catch((cause: unknown) => {
    throw new AppError(
      'not-found',
      `${given}: can't be read; expected a package URL, the address of a repository, or the path of a lockfile, an SBOM or a folder`,
      { cause },
    );
  });
  const advice = manifestAdvice(path);
  if (advice !== undefined && !found.isDirectory()) throw new AppError('usage', `${given}: ${advice}`);
  if (!found.isDirectory()) return { items: [understood(await readItem(place, path))], left: [] };
  const watchable = await searchFolder(place, path);
  if (watchable.items.length > 0) return watchable;
  const left = watchable.left.map((one) => `\n  ${one.path}: ${one.why}`).join('');
  throw new AppError('not-found', `${given}: holds no lockfile and no SBOM that can be watched${left}`);
}

/**
 * What a path is called in the ledger: as the configuration writes it, else relative to the configuration's folder where it lies below
 * that. The same from wherever the command runs.
 */
export function labelOfPath({ watch, file, cwd }: Place, path: string): string {
  const line = watch.find((candidate) => candidate.path === path);
  if (line !== undefined) return line.specification;
  const label = relative(file === undefined ? cwd : dirname(file), path);
  return label.startsWith('..') || isAbsolute(label) ? path : label;
}

async function searchFolder(place: Place, root: string): Promise<Watchable> {
  const items: WatchedItem[] = [];
  const left: { path: string; why: string }[] = [];
  const waiting: Waiting[] = [{ folder: root, depth: 0, locked: new Set() }];
  let entries = 0;
  for (const { folder, depth, locked: above } of waiting) {
    const listed = (await readdir(folder, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    entries += listed.length;
    if (entries > MAX_ENTRIES)
      throw new AppError('usage', `${root}: more than ${MAX_ENTRIES} files and folders; name a folder further down, or the files themselves`);
    const locked = new Set([...above, ...listed.flatMap(({ name }) => lockedBy(name))]);
    for (const entry of listed) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (NOT_OURS.has(entry.name)) left.push({ path: relative(root, path), why: 'holds what others made' });
        else if (depth >= MAX_DEPTH) left.push({ path: relative(root, path), why: `more than ${MAX_DEPTH} folders down` });
        else waiting.push({ folder: path, depth: depth + 1, locked });
      } else if (isWatchableName(path)) await take({ place, root, path, isFile: entry.isFile() }, { items, left });
      else left.push(...unlocked(relative(root, path), locked));
    }
  }
  return { items, left };
}

interface Waiting {
  readonly folder: string;
  readonly depth: number;
  /** Ecosystems of which a lock lies here or further up: those of workspaces speak for what is below. */
  readonly locked: ReadonlySet<string>;
}

function lockedBy(name: string): readonly string[] {
  return ecosystems.filter(({ demand }) => demand.isLockfile(name)).map(({ id }) => id);
}

/** A manifest whose needs nobody has locked: said, with what to do, and not passed over. */
function unlocked(path: string, locked: ReadonlySet<string>): Watchable['left'] {
  const why = manifestAdvice(path, locked);
  return why === undefined ? [] : [{ path, why }];
}

function manifestAdvice(path: string, locked: ReadonlySet<string> = new Set()): string | undefined {
  for (const { id, demand } of ecosystems) {
    const manifest = locked.has(id) ? undefined : demand.manifests?.find(({ fileName }) => fileName === basename(path));
    if (manifest !== undefined)
      return `says what is needed, and no lock says which versions that is: run ${manifest.locksBy} beside it, and watch what it writes`;
  }
  return undefined;
}

interface Candidate {
  readonly place: Place;
  readonly root: string;
  readonly path: string;
  /** And no link, which may lead anywhere. */
  readonly isFile: boolean;
}

async function take(
  { place, root, path, isFile }: Candidate,
  { items, left }: { readonly items: WatchedItem[]; readonly left: { path: string; why: string }[] },
) {
  if (!isFile) return void left.push({ path: relative(root, path), why: 'not a plain file' });
  if (items.length >= MAX_FOUND) throw new AppError('usage', `${root}: more than ${MAX_FOUND} lockfiles; name a folder further down`);
  try {
    items.push(understood(await readItem(place, path)));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    left.push({ path: relative(root, path), why: error.message });
  }
}

function isWatchableName(path: string): boolean {
  return isSbomName(path) || ecosystems.some(({ demand }) => demand.isLockfile(path));
}

async function readItem(place: Place, path: string): Promise<WatchedItem & { readonly content: Uint8Array }> {
  await using file = await open(path);
  const { size } = await file.stat();
  if (size > MAX_WATCHED_BYTES) throw new AppError('usage', `${path}: ${size} bytes, at most ${MAX_WATCHED_BYTES} are read`);
  return { specification: labelOfPath(place, path), content: await file.readFile() };
}

/** As in the configuration: a fact is a few hundred bytes. */
const MAX_SPECIFICATION = 1024;

function understood(item: WatchedItem): WatchedItem {
  if (item.specification.length > MAX_SPECIFICATION)
    throw new AppError('usage', `${item.specification.slice(0, 80)}…: longer than ${MAX_SPECIFICATION} characters`);
  try {
    wishesOfItem(item);
    return item;
  } catch (error) {
    if (error instanceof EcosystemError) throw new AppError('usage', describeProblem(error), { cause: error });
    throw error;
  }
}
