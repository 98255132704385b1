import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { HttpBody } from '@granary/contract/ports';

/** What bodies may hold in memory at the same time, whoever sends them. */
export interface BodyMemory {
  /** False when there is no room for more. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}
/** The body of one request. */
export interface RequestBody {
  read(maxBytes: number): Promise<HttpBody>;
  /** Call once when the request is answered: its memory is given back. */
  release(): void;
}

const expand = promisify(gunzip);
const BUSY: HttpBody = { type: 'refused', status: 503, why: 'too many requests with a body at once, ask again' };

export function bodyMemory(maxBytes: number): BodyMemory {
  let free = maxBytes;
  return {
    take(bytes) {
      if (bytes > free) return false;
      free -= bytes;
      return true;
    },
    give(bytes) {
      free += bytes;
    },
  };
}

export function requestBody(message: IncomingMessage, memory: BodyMemory): RequestBody {
  let taken = 0;
  const take = (bytes: number): boolean => {
    const isRoom = memory.take(bytes);
    if (isRoom) taken += bytes;
    return isRoom;
  };
  return {
    async read(maxBytes) {
      const coding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
      const isPlain = coding === 'identity' || coding === '';
      if (!isPlain && coding !== 'gzip' && coding !== 'x-gzip') return { type: 'refused', status: 415, why: 'bodies are read as they are, or with gzip' };
      if (Number(message.headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
      const sent = await receive(message, maxBytes, take);
      if (sent.type === 'refused' || isPlain) return sent;
      // What it comes to is known only afterwards: room is taken for the most that it may be.
      return take(maxBytes) ? await expanded(sent.bytes, maxBytes) : BUSY;
    },
    release() {
      memory.give(taken);
      taken = 0;
    },
  };
}

async function receive(message: IncomingMessage, maxBytes: number, take: (bytes: number) => boolean): Promise<HttpBody> {
  const chunks: Buffer[] = [];
  let received = 0;
  try {
    // Left early, the rest would be read by nobody: who sends on is cut off after the answer. Breaking out of the loop must not end the connection before it.
    for await (const chunk of message.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) continue;
      received += chunk.length;
      if (received > maxBytes) return tooLarge(maxBytes);
      if (!take(chunk.length)) return BUSY;
      chunks.push(chunk);
    }
  } catch {
    return { type: 'refused', status: 400, why: 'the body broke off' };
  }
  return { type: 'whole', bytes: Buffer.concat(chunks, received) };
}

async function expanded(bytes: Uint8Array, maxBytes: number): Promise<HttpBody> {
  try {
    return { type: 'whole', bytes: await expand(bytes, { maxOutputLength: maxBytes }) };
  } catch (error) {
    const isLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return isLarge ? tooLarge(maxBytes) : { type: 'refused', status: 400, why: 'the body is not what gzip makes' };
  }
}

function tooLarge(maxBytes: number): HttpBody {
  return { type: 'refused', status: 413, why: `the body has more than ${maxBytes} bytes` };
}
