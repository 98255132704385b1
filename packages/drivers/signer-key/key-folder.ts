import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyError } from './key-error.ts';

/** A PEM private key is below 300 bytes; the list of keys below 4 KiB. */
const MAX_FILE_BYTES = 16_384;
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

/** Makes the folder if need be; refuses one in which others could replace a key. */
export async function openFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { mode } = await stat(folder);
    if ((mode & OTHERS_WRITE) === 0) return;
    throw new KeyError('wrong-mode', `keys ${folder}: others may write to this folder; run: chmod 700 ${folder}`);
  } catch (cause) {
    if (cause instanceof KeyError) throw cause;
    throw new KeyError('unwritable', `keys ${folder}: ${reason(cause)}; give a folder that this user may write to`, { cause });
  }
}

/** Undefined when there is no such file. Refuses what others may read. */
export async function readSecret(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  try {
    await using file = await open(path, constants.O_RDONLY);
    const { mode, size } = await file.stat();
    if ((mode & OTHERS) !== 0) throw new KeyError('wrong-mode', `key ${path}: mode ${octal(mode)} lets others read it; run: chmod 600 ${path}`);
    if (size > MAX_FILE_BYTES) throw new KeyError('corrupt', `key ${path}: ${size} bytes, a key file has at most ${MAX_FILE_BYTES}; restore it from a backup`);
    return await file.readFile('utf8');
  } catch (cause) {
    if (cause instanceof KeyError) throw cause;
    if (isCode(cause, 'ENOENT')) return undefined;
    throw new KeyError('unreadable', `key ${path}: ${reason(cause)}; it must be a file that belongs to the user who runs this`, { cause });
  }
}

/** Durable when resolved, never torn. `false` when the file existed: then nothing was changed. */
export async function createSecret(folder: string, name: string, text: string): Promise<boolean> {
  return await written(folder, name, text, async (temporary, path) => {
    try {
      await link(temporary, path);
      return true;
    } catch (cause) {
      if (isCode(cause, 'EEXIST')) return false;
      throw cause;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** As {@link createSecret}, but takes the place of what was there. */
export async function replaceSecret(folder: string, name: string, text: string): Promise<void> {
  await written(folder, name, text, rename);
}

async function written<T>(folder: string, name: string, text: string, publish: (temporary: string, path: string) => Promise<T>): Promise<T> {
  const path = join(folder, name);
  const temporary = join(folder, `.${name}.${randomUUID()}`);
  try {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    const published = await publish(temporary, path);
    await using directory = await open(folder, constants.O_RDONLY);
    await directory.sync();
    return published;
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new KeyError('unwritable', `key ${path}: ${reason(cause)}; give a folder on a disk with room that this user may write to`, { cause });
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}

function octal(mode: number): string {
  return `0${(mode & 0o777).toString(8)}`;
}
