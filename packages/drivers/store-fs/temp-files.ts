import { randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from './disk-error.ts';
import type { FileOperations } from './file-operations.ts';

/** No object key can begin with a dot, so that nothing unfinished is ever listed. */
export const TEMP_FOLDER = '.tmp';

/** Of another machine or container we cannot know who lives; a file that nobody wrote to for this long is nobody's. */
const ABANDONED_AFTER_MS = 3_600_000;

/** Who is writing: `<boot>.<pid namespace>.<pid>.<start time>`, so that a pid that came back is not taken for the dead one. */
export async function tempOwner(): Promise<string> {
  return `${await processScope()}.${process.pid}.${await startTime(process.pid)}`;
}

/** Threads of a process share its owner. */
const thread = randomBytes(12).toString('hex');
let named = 0;

/** A name that nobody else gives. */
export function tempName(owner: string): string {
  named += 1;
  return `${owner}.${thread}-${named}`;
}

/** Removes what dead writers left. Never fails an opening: what cannot be removed now can be later. */
export async function sweepTempFiles(root: string, operations: FileOperations): Promise<void> {
  const folder = join(root, TEMP_FOLDER);
  const scope = await processScope();
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    if (await isStale(path, name, scope)) await operations.remove(path).catch(() => undefined);
  }
}

async function isStale(path: string, name: string, scope: string): Promise<boolean> {
  const [boot, namespace, pid, started] = name.split('.');
  if (`${boot}.${namespace}` === scope && /^\d+$/.test(pid ?? '')) return !(await isAlive(Number(pid), started ?? ''));
  const written = await stat(path).catch(() => undefined);
  return written !== undefined && Date.now() - written.mtimeMs > ABANDONED_AFTER_MS;
}

async function isAlive(pid: number, started: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
  return (await startTime(pid)) === started;
}

async function processScope(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => 'unknown');
  return `${boot.trim().slice(0, 8)}.${namespace.replace(/\D/g, '')}`;
}

/** proc(5), stat field 22; counted from the last `)`, because the command name may hold anything. Where there is no /proc, the pid alone decides. */
async function startTime(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
}
