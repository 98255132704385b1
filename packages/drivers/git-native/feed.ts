import type { Writable } from 'node:stream';

/**
 * Writes a source to a process at the speed at which it reads; ends early when the process has, and then lets go of the source, even of one that never answers.
 * Throws what the source throws, and what `check` throws of the bytes so far.
 */
export async function feed(source: AsyncIterable<Uint8Array>, sink: Writable, check: (totalBytes: number) => void): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  const orClosed = waitingOn(sink);
  let totalBytes = 0;
  let isDone = false;
  try {
    while (!sink.destroyed) {
      const next = await orClosed(iterator.next());
      if (next === undefined || sink.destroyed) return;
      if (next.done === true) {
        isDone = true;
        sink.end();
        return;
      }
      totalBytes += next.value.length;
      check(totalBytes);
      if (!sink.write(next.value)) await orClosed(new Promise<void>((resolve) => sink.once('drain', resolve)));
    }
  } finally {
    // Not awaited: a source that hangs may never answer.
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** Waits for a promise, or for the sink's end: undefined. Not by Promise.race, for which a promise that stays open holds on to all that was ever raced with it. */
function waitingOn(sink: Writable): <T>(promise: Promise<T>) => Promise<T | undefined> {
  let wake: () => void = () => undefined;
  sink.on('close', () => wake());
  return (promise) =>
    new Promise((resolve, reject) => {
      wake = () => resolve(undefined);
      promise.then(resolve, reject);
    });
}
