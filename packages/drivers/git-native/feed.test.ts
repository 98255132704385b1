import { Writable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { feed } from './feed.ts';

const MIB = 1024 * 1024;

describe('a source that is fed', () => {
  it('is held nowhere: memory does not grow with it', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    let heldBytes = 0;
    const before = process.memoryUsage().arrayBuffers;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 200; n += 1) yield new Uint8Array(MIB).fill(n);
      await after(10);
      collectGarbage();
      heldBytes = process.memoryUsage().arrayBuffers - before;
    };
    const sink = new Writable({ write: (_chunk, _encoding, done) => void setImmediate(done) });

    await feed(source(), sink, () => undefined);

    expect(heldBytes).toBeLessThan(100 * MIB);
  });

  it('is let go of when the sink ends first, even where it never answers', async () => {
    let isReturned = false;
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          isReturned = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() });

    const fed = feed(silent, sink, () => undefined);
    sink.destroy();
    await fed;

    expect(isReturned).toBe(true);
  });
});
