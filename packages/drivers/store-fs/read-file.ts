import { closeSync, fstatSync, open, read, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type ByteRange, StoreError } from '@granary/contract/ports';
import { errnoOf } from './disk-error.ts';

const CHUNK_BYTES = 262_144;
const [openFile, readSome] = [promisify(open), promisify(read)];

/** Size of a regular file; undefined when there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  const found = await absentAsUndefined(() => stat(path));
  return found?.isFile() ? found.size : undefined;
}

/** The same at once, for a folder that is being written to, whose names the kernel has in memory. */
export function fileSizeNow(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? found.size : undefined;
}

/** The whole file; undefined when there is none. Files of the store never grow, so that its size now is its size. */
export async function readWhole(path: string, what: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const file = await absentAsUndefined(() => openFile(path, 'r'));
  if (file === undefined) return undefined;
  try {
    // Of an open file the kernel knows it: nothing is waited for.
    const { size } = fstatSync(file);
    if (size > maxBytes) throw new StoreError('too-large', `${what}: ${size} bytes, at most ${maxBytes} wanted`);
    const bytes = new Uint8Array(size);
    await readInto(file, bytes, what);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Opens on the first read, so that a stream nobody reads holds nothing. */
export async function* readRange(path: string, what: string, range: ByteRange): AsyncIterable<Uint8Array> {
  const file = await openFile(path, 'r');
  try {
    for (let at = range.start; at < range.end; at += CHUNK_BYTES) {
      const bytes = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, range.end - at));
      await readInto(file, bytes, what, at);
      yield bytes;
    }
  } finally {
    closeSync(file);
  }
}

async function readInto(file: number, bytes: Uint8Array, what: string, position = 0): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await readSome(file, bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) throw new StoreError('unreachable', `${what}: the file ends after ${position + done} bytes; something else than Granary changed it`);
    done += bytesRead;
  }
}

async function absentAsUndefined<T>(step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
