import { describe, expect, it } from 'vitest';
import { cutExactly } from './cut-exactly.ts';
import { inPieces } from './test/upstream-repository.ts';

async function cut(text: string, size: number, lengths: readonly number[]): Promise<readonly string[]> {
  const pieces: string[] = [];
  for await (const piece of cutExactly('cut', inPieces(Buffer.from(text), size), lengths)) pieces.push(Buffer.from(piece).toString());
  return pieces;
}

describe('a stream', () => {
  it.each([1, 2, 3, 100])('is cut into pieces of the lengths given, however it comes: by %i', async (size) => {
    expect(await cut('abcdef', size, [1, 0, 0, 3, 2, 0])).toEqual(['a', '', '', 'bcd', 'ef', '']);
  });

  it.each([
    ['longer', [5]],
    ['shorter', [7]],
  ])('is refused that is %s than that', async (_, lengths) => {
    await expect(cut('abcdef', 2, lengths)).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
  });
});
