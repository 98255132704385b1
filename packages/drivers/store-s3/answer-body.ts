import type { Readable } from 'node:stream';
import { S3Fault } from './s3-fault.ts';
import { MIN_BYTES_PER_SECOND, type Patience } from './s3-service.ts';

/**
 * The bytes of an answer as they come. Waiting uses up `stallMs`, and bytes earn it back at the least rate: a body that stands still or trickles
 * ends in an S3Fault; a slow reader costs nothing. Leaving early closes the connection.
 */
export async function* steadily(answer: Readable, { stallMs }: Pick<Patience, 'stallMs'>): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<unknown> = answer[Symbol.asyncIterator]();
  let leftMs = stallMs;
  try {
    for (;;) {
      const since = performance.now();
      const stalled = setTimeout(() => answer.destroy(new S3Fault('transient', 'the body of the answer came to a standstill')), Math.max(leftMs, 1));
      const next = await chunks.next().finally(() => clearTimeout(stalled));
      if (next.done === true) return;
      if (!(next.value instanceof Uint8Array)) throw new TypeError('an answer is read as bytes');
      leftMs = Math.min(stallMs, leftMs - (performance.now() - since) + (next.value.length / MIN_BYTES_PER_SECOND) * 1000);
      yield next.value;
    }
  } finally {
    answer.destroy();
  }
}

/** The whole body; undefined when it is longer than that. */
export async function readAtMost(answer: Readable, maxBytes: number, patience: Pick<Patience, 'stallMs'>): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of steadily(answer, patience)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  // A copy of its own: what callers do to it must not reach a pool of buffers.
  return new Uint8Array(Buffer.concat(chunks, sizeBytes));
}
