import { describe, expect, it } from 'vitest';
import { batchContents } from './batch-contents.ts';

const id = (digit: string): string => digit.repeat(40);
const LARGE = 'x'.repeat(500);
const PRINTED = `${id('1')} blob 3\nabc\n${id('2')} blob 0\n\n${id('3')} commit 500\n${LARGE}\n${id('4')} blob 5\na\nb\n\n\n${'5'.repeat(64)} blob 10\n0123456789\n`;

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), 'latin1');
}

async function contentsOf(text: string, piece = 65_536): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const contents of batchContents('read', inPieces(text, piece), { maxBytes: 10 })) found.push(contents.toString('latin1'));
  return found;
}

describe('contents that git printed', () => {
  it.each([1, 2, 3, 7, 64, 501, 65_536])('are those of a size that is held, however they are cut: by %i bytes', async (piece) => {
    expect(await contentsOf(PRINTED, piece)).toEqual(['abc', '', 'a\nb\n\n', '0123456789']);
  });

  it.each([
    ['an object that is missing', `${id('1')} missing\n`],
    ['a header without an end', `${id('1')} blob ${'1'.repeat(1000)}`],
    ['a size that is none', `${id('1')} blob -1\n`],
    ['contents cut off', PRINTED.slice(0, -2)],
    ['no line feed behind them', PRINTED.slice(0, -1)],
    ['a header cut off', id('1')],
  ])('are refused with %s', async (_, printed) => {
    await expect(contentsOf(printed)).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
    await expect(contentsOf(printed, 3)).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
  });
});
