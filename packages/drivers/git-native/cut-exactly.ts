import { RepositoryError } from '@granary/contract/ports';

/** Cuts a stream into pieces of the given lengths, each in memory of its own. Throws RepositoryError `malformed` unless the stream has exactly so many bytes. */
export async function* cutExactly(what: string, chunks: AsyncIterable<Uint8Array>, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(lengths[0] ?? 0);
  let filled = 0;
  let n = 0;
  for await (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      if (n >= lengths.length) throw new RepositoryError('malformed', `${what}: git printed more than was asked for`);
      const part = chunk.subarray(at, at + piece.length - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      for (; n < lengths.length && filled === piece.length; filled = 0) {
        yield piece;
        n += 1;
        piece = new Uint8Array(lengths[n] ?? 0);
      }
    }
  }
  if (n < lengths.length) throw new RepositoryError('malformed', `${what}: git printed less than was asked for`);
}
