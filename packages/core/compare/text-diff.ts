import { createTwoFilesPatch } from 'diff';

/** What a readable diff may cost, and how long it may be. */
const MAX_FILE_BYTES = 512 * 1024;
const MAX_DIFF_CHARS = 12_000;
const MAX_LINE_CHARS = 400;
/** Lines added and removed: the diff takes time with the square of it. Not a time limit: the same input must give the same bytes. */
const MAX_EDITS = 2_000;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of a file; undefined when it is binary: not UTF-8, or with a NUL. */
export function asText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A unified diff for people; what was left out is said in it. Undefined when either side is binary. */
export function textDiff(upstream: Uint8Array, rebuild: Uint8Array): string | undefined {
  if (Math.max(upstream.length, rebuild.length) > MAX_FILE_BYTES) return `(no diff: a side has more than ${MAX_FILE_BYTES} bytes)`;
  const [theirs, ours] = [asText(upstream), asText(rebuild)];
  if (theirs === undefined || ours === undefined) return undefined;
  const patch = createTwoFilesPatch('upstream', 'rebuild', visible(theirs), visible(ours), '', '', { context: 3, maxEditLength: MAX_EDITS });
  if (patch === undefined) return `(no diff: more than ${MAX_EDITS} lines differ)`;
  return shortened(patch.replace(/^=+\n/, ''));
}

/** Control and direction characters as escapes: a diff of hostile text must not steer a terminal or a page. */
export function visible(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (char) => {
    if (char === '\r') return '\\r';
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function shortened(patch: string): string {
  const lines = patch
    .trimEnd()
    .split('\n')
    .map((line) =>
      line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS).toWellFormed()}… (${line.length - MAX_LINE_CHARS} more characters)` : line,
    );
  let length = 0;
  const kept = lines.filter((line) => {
    length += line.length + 1;
    return length <= MAX_DIFF_CHARS;
  });
  if (kept.length === lines.length) return `${lines.join('\n')}\n`;
  return `${kept.join('\n')}\n(${lines.length - kept.length} more lines of this diff left out)\n`;
}
