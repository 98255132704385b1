import { type Inflate, inflateRawSync } from 'node:zlib';
import { ArchiveError } from './archive-error.ts';

export interface Inflated {
  readonly bytes: Uint8Array;
  /** How much of the input the stream took; what follows is not part of it. */
  readonly consumedBytes: number;
}

/** zlib allocates a chunk at once: as large as most files, so that they come in one piece, and no larger, because stated sizes may lie. */
const MAX_CHUNK_BYTES = 256 * 1024;
const MIN_CHUNK_BYTES = 64;

/** Inflates a raw deflate stream (RFC 1951) that starts at the first byte; undefined when it would yield more than `maxBytes`. */
export function inflateRaw(packed: Uint8Array, maxBytes: number, what: string): Inflated | undefined {
  try {
    // One byte above the limit, so that a stream of exactly `maxBytes` isn't cut off; zlib needs at least one.
    const options = { maxOutputLength: maxBytes + 1, chunkSize: Math.min(Math.max(maxBytes + 1, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES), info: true };
    const { buffer, engine } = withEngine(inflateRawSync(packed, options));
    return buffer.length > maxBytes ? undefined : { bytes: buffer, consumedBytes: engine.bytesWritten };
  } catch (cause) {
    if (isError(cause, 'ERR_BUFFER_TOO_LARGE')) return undefined;
    if (isError(cause, 'Z_BUF_ERROR')) throw new ArchiveError('truncated', `${what}: its deflate stream has no end`, { cause });
    throw new ArchiveError('malformed', `${what}: not a deflate stream`, { cause });
  }
}

/** With `info`, zlib returns the engine too; the published types say the buffer only. */
function withEngine(result: unknown): { readonly buffer: Uint8Array; readonly engine: Inflate } {
  return result as { readonly buffer: Uint8Array; readonly engine: Inflate };
}

function isError(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
