import { type FileHandle, open, stat } from 'node:fs/promises';
import { type ByteRange, StoreError } from '@granary/contract/ports';
import { errnoOf } from './disk-error.ts';

const CHUNK_BYTES = 262_144;

/** Size of a regular file; undefined when there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  const found = await absentAsUndefined(() => stat(path));
  return found?.isFile() ? found.size : undefined;
}

/** The whole file; undefined when there is none. Files of the store never grow, so that its size now is its size. */
export async function readWhole(path: string, what: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const handle = await absentAsUndefined(() => open(path, 'r'));
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new StoreError('too-large', `${what}: ${size} bytes, at most ${maxBytes} wanted`);
    const bytes = new Uint8Array(size);
    await readInto(handle, bytes, what);
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Opens on the first read, so that a stream nobody reads holds nothing. */
export async function* readRange(path: string, what: string, range: ByteRange): AsyncIterable<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    for (let at = range.start; at < range.end; at += CHUNK_BYTES) {
      const bytes = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, range.end - at));
      await readInto(handle, bytes, what, at);
      yield bytes;
    }
  } finally {
    await handle.close();
  }
}

async function readInto(handle: FileHandle, bytes: Uint8Array, what: string, position = 0): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
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
