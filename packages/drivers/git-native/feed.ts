import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Writes a source to a process at the speed at which it reads; ends early when the process has, and then lets go of the source, even of one that never answers.
 * Throws what the source throws, and what `check` throws of the bytes so far.
 */
export async function feed(source: AsyncIterable<Uint8Array>, sink: Writable, check: (totalBytes: number) => void): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  const closed = new Promise<undefined>((resolve) => {
    if (sink.destroyed) resolve(undefined);
    sink.on('close', () => resolve(undefined));
  });
  let totalBytes = 0;
  let isDone = false;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), closed]);
      if (next === undefined || sink.destroyed) return;
      if (next.done === true) {
        isDone = true;
        sink.end();
        return;
      }
      totalBytes += next.value.length;
      check(totalBytes);
      if (!sink.write(next.value)) await Promise.race([once(sink, 'drain').catch(() => undefined), closed]);
    }
  } finally {
    // Not awaited: a source that hangs may never answer.
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
