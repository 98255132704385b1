import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** What a repository has, to compare with another. */
export interface RepositoryInventory {
  /** `ref: refs/heads/main`, or an object id. */
  readonly head: string;
  /** `<object id> <name>`, sorted. */
  readonly refs: readonly string[];
  /** `digest` is of a sorted line for each: id, type and size. */
  readonly objects: { readonly count: number; readonly digest: string };
}
export interface InventoryWish {
  /** Prefixes of names of refs. */
  readonly refs: readonly string[];
  /** What these refs reach, or everything that lies there. */
  readonly objects: 'reachable' | 'all';
}

const execute = promisify(execFile);
const LINE = '--batch-check=%(objectname) %(objecttype) %(objectsize)';

/** Reads a bare repository with git, and nothing but git. */
export async function inventoryOf(folder: string, { refs, objects }: InventoryWish): Promise<RepositoryInventory> {
  const listed = (await git(folder, 'for-each-ref', '--format=%(objectname) %(refname)')).split('\n');
  const kept = listed.filter((line) => refs.some((prefix) => line.slice(line.indexOf(' ') + 1).startsWith(prefix)));
  const ids = kept.map((line) => line.slice(0, line.indexOf(' ')));
  const lines = objects === 'all' ? await linesOf(start(folder, 'cat-file', '--batch-all-objects', '--buffer', LINE)) : await reachable(folder, ids);
  const digest = createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');
  return { head: await headOf(folder), refs: kept.toSorted(), objects: { count: lines.length, digest } };
}

async function headOf(folder: string): Promise<string> {
  const symbolic = await git(folder, 'symbolic-ref', '--quiet', 'HEAD').catch(() => undefined);
  return symbolic === undefined ? await git(folder, 'rev-parse', 'HEAD') : `ref: ${symbolic}`;
}

async function reachable(folder: string, ids: readonly string[]): Promise<readonly string[]> {
  const listing = start(folder, 'rev-list', '--objects', '--no-object-names', '--stdin');
  listing.stdin?.end(ids.map((id) => `${id}\n`).join(''));
  const checking = start(folder, 'cat-file', '--buffer', LINE);
  if (checking.stdin !== null) listing.stdout?.pipe(checking.stdin);
  const [lines] = await Promise.all([linesOf(checking), succeeded(listing)]);
  return lines;
}

function start(folder: string, ...args: readonly string[]): ChildProcess {
  return spawn('git', ['-c', 'safe.directory=*', '-C', folder, ...args], { stdio: ['pipe', 'pipe', 'inherit'], env: environment() });
}

async function linesOf(child: ChildProcess): Promise<readonly string[]> {
  const ended = succeeded(child);
  const lines: string[] = [];
  if (child.stdout !== null) for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  await ended;
  return lines;
}

async function succeeded(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')}: exit ${code}`);
}

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  return (await execute('git', ['-c', 'safe.directory=*', '-C', folder, ...args], { maxBuffer: 2 ** 28, env: environment() })).stdout.trim();
}

/** As on a machine without settings of git. */
function environment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };
}
