import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '@granary/contract/ports';

/** Bytes that were read once and can be read again, in any order. */
export interface Spool extends AsyncDisposable {
  /** Into `room`, when it needs any, which must be large enough. */
  slice(start: number, end: number, room: Uint8Array): Promise<Uint8Array>;
}

export function spoolOfBytes(bytes: Uint8Array): Spool {
  return { slice: async (start, end) => bytes.subarray(start, end), [Symbol.asyncDispose]: async () => undefined };
}

/** Takes a stream to the disk. The file has no name from the start: whatever dies, the kernel takes it back. `see` is shown every chunk before it is written. */
export async function spoolToDisk(folder: string, source: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): Promise<Spool> {
  const file = await onScratch(folder, () => namelessFile(folder));
  try {
    for await (const chunk of source) {
      see(chunk);
      await onScratch(folder, () => writeFully(file, chunk));
    }
    return {
      slice: (start, end, room) => onScratch(folder, () => readFully(file, room.subarray(0, end - start), start)),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function namelessFile(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `spool-${randomBytes(12).toString('hex')}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
}

async function readFully(file: FileHandle, bytes: Uint8Array, start: number): Promise<Uint8Array> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
    if (bytesRead === 0) throw new RangeError(`the spool ends after ${start + done} bytes`);
    done += bytesRead;
  }
  return bytes;
}

async function onScratch<T>(folder: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new StoreError('disk-full', `put blob: the disk of the scratch folder ${folder} is full: free some space and run again`, { cause });
    throw new StoreError('unreachable', `put blob: scratch folder ${folder}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
