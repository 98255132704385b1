import { expect, it } from 'vitest';
import { buffered } from './buffered.ts';

it('gives memory back at once, but not before the last answer was sent', () => {
  const bytes = new Uint8Array(1000);
  const held = buffered(bytes);
  const [first, second] = [held.use(), held.use()];

  held.drop();
  first?.release();
  const during = bytes.byteLength;
  second?.release();

  expect([during, bytes.byteLength, held.use()]).toEqual([1000, 0, undefined]);
});

it('keeps what the cache keeps', () => {
  const bytes = new Uint8Array(1000);
  const held = buffered(bytes);

  held.use()?.release();

  expect(held.use()?.bytes).toBe(bytes);
});

it('leaves memory alone that belongs to others too', () => {
  const pool = new Uint8Array(1000);

  buffered(pool.subarray(0, 10)).drop();

  expect(pool.byteLength).toBe(1000);
});
