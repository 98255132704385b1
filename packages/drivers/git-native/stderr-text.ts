import type { Readable } from 'node:stream';

const MAX_LINE_CHARACTERS = 1000;
const MAX_KEPT_LINES = 12;

/** Reads all of stderr, so that nobody waits for it, and keeps its last lines. What git quotes there comes from strangers. */
export function keepStderr(stream: Readable, onLine: (line: string) => void = () => undefined): () => string {
  const kept: string[] = [];
  let open = '';
  let isCut = false;
  const take = (text: string): void => {
    const line = cleaned(text);
    if (line === '') return;
    onLine(line);
    kept.push(line);
    if (kept.length > MAX_KEPT_LINES) kept.shift();
  };
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('data', (chunk: string) => {
    const [first = '', ...rest] = chunk.split('\n');
    for (const [n, piece] of [first, ...rest].entries()) {
      if (n > 0) {
        take(open);
        open = '';
        isCut = false;
      }
      if (!isCut) open += piece.slice(0, MAX_LINE_CHARACTERS - open.length);
      isCut = open.length >= MAX_LINE_CHARACTERS;
    }
  });
  return () => {
    take(open);
    open = '';
    return kept.join('\n');
  };
}

/** Without control characters, and without what reorders text on a terminal. */
function cleaned(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
