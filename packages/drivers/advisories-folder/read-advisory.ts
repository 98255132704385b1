import { open } from 'node:fs/promises';
import { MAX_OSV_BYTES, type ParsedOsv, parseOsv } from '@granary/core/osv';

/** `gone` when there is no such file. What can't be read is broken like what can't be understood: it is named, and others are read. */
export async function readAdvisory(file: string): Promise<ParsedOsv | 'gone'> {
  try {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    if (size > MAX_OSV_BYTES) return { ok: false, why: `${size} bytes, at most ${MAX_OSV_BYTES} are read` };
    const bytes = Buffer.alloc(size);
    // One that is written at this moment may have become shorter.
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return parseOsv(bytes.subarray(0, bytesRead));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    return code === 'ENOENT' ? 'gone' : { ok: false, why: code };
  }
}
