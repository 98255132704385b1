import type { Readable } from 'node:stream';
import { UpstreamError } from '@granary/contract/ports';
import { upstreamErrorOf } from './upstream-error.ts';

/** A body that nobody begins to read for this long is dropped: it holds a place in its host's budget. */
const ABANDONED_AFTER_MS = 60_000;
/** While we wait, at least this much must arrive per window: a trickle is a stall. */
const TRICKLE_BYTES = 8 * 1024;

export interface BodyLimits {
  readonly url: string;
  readonly maxBytes: number;
  /** What `Content-Length` said. */
  readonly sizeBytes?: number;
  readonly stallMs: number;
  /** The caller's own signal: its reason is passed on as it is. */
  readonly signal: AbortSignal | undefined;
}

/** Untrusted bytes: bounded in size and in time, and never shorter than announced. Returning early frees the connection. */
export function measuredBody(source: Readable, limits: BodyLimits): AsyncIterable<Uint8Array> {
  const chunks = read(source, limits);
  const abandoned = setTimeout(() => source.destroy(stalled(limits.url, 'nobody read its body')), ABANDONED_AFTER_MS).unref();
  // Without a listener an error before the first read would end the process; the reader gets it all the same.
  source.on('error', () => clearTimeout(abandoned));
  source.once('close', () => clearTimeout(abandoned));
  const iterator: AsyncIterator<Uint8Array> = {
    next() {
      clearTimeout(abandoned);
      return chunks.next();
    },
    async return() {
      source.destroy();
      await chunks.return(undefined);
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

async function* read(source: Readable, limits: BodyLimits): AsyncGenerator<Uint8Array, void, void> {
  const { url, maxBytes, sizeBytes } = limits;
  const expectProgress = trickleGuard(limits);
  let received = 0;
  let askedAt = performance.now();
  try {
    for await (const chunk of source) {
      const bytes: Uint8Array = chunk;
      received += bytes.length;
      if (received > maxBytes) throw new UpstreamError('too-large', url, `get ${url}: more than ${maxBytes} bytes`);
      expectProgress(bytes.length, performance.now() - askedAt);
      yield bytes;
      askedAt = performance.now();
    }
  } catch (error) {
    throw upstreamErrorOf(error, { url, phase: 'body', signal: limits.signal });
  }
  if (sizeBytes !== undefined && received !== sizeBytes) {
    throw new UpstreamError('truncated', url, `get ${url}: ${received} bytes, Content-Length said ${sizeBytes}`);
  }
}

function trickleGuard({ url, stallMs }: BodyLimits): (bytes: number, waitedMs: number) => void {
  let window = { bytes: 0, waitedMs: 0 };
  return (bytes, waitedMs) => {
    window = { bytes: window.bytes + bytes, waitedMs: window.waitedMs + waitedMs };
    if (window.waitedMs < stallMs) return;
    if (window.bytes < TRICKLE_BYTES) throw stalled(url, `${window.bytes} bytes in ${Math.round(window.waitedMs)} ms`);
    window = { bytes: 0, waitedMs: 0 };
  };
}

function stalled(url: string, what: string): UpstreamError {
  return new UpstreamError('timeout', url, `get ${url}: the body stalled, ${what}`);
}
