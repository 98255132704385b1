import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readAtMost, steadily } from './answer-body.ts';

const chunk = (length: number): Uint8Array => new Uint8Array(length).fill(7);

/** Writes a chunk every so often, until the reader leaves. */
function every(milliseconds: number, length: number): PassThrough {
  const stream = new PassThrough();
  const timer = setInterval(() => stream.write(chunk(length)), milliseconds);
  stream.once('close', () => clearInterval(timer));
  onTestFinished(() => clearInterval(timer));
  return stream;
}

describe('the body of an answer', () => {
  it('is read to its end', async () => {
    expect(await readAtMost(Readable.from([chunk(3), chunk(4)]), 7, { stallMs: 1000 })).toEqual(chunk(7));
  });

  it('is left when it is too long, and the connection is closed', async () => {
    const endless = every(1, 100);

    expect(await readAtMost(endless, 250, { stallMs: 1000 })).toBeUndefined();
    expect(endless.destroyed).toBe(true);
  });

  it('that stands still is a fault', async () => {
    const silent = new PassThrough();

    await expect(readAtMost(silent, 100, { stallMs: 30 })).rejects.toMatchObject({ name: 'S3Fault', kind: 'transient' });
    expect(silent.destroyed).toBe(true);
  });

  it('that trickles is a fault, though something comes all the time', async () => {
    await expect(readAtMost(every(5, 1), 10_000, { stallMs: 100 })).rejects.toMatchObject({ kind: 'transient' });
  });

  it('waits for a slow reader as long as that takes', async () => {
    let read = 0;
    for await (const bytes of steadily(Readable.from(Array.from({ length: 5 }, () => chunk(10))), { stallMs: 50 })) {
      read += bytes.length;
      await sleep(60);
    }

    expect(read).toBe(50);
  });
});
