const MAX_CHARS = 300;

/** What a server writes for people, as one line that is safe in a terminal and a log: cut, without control characters and changes of direction. */
export function remoteText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4 * MAX_CHARS)).toString('utf8');
  const line = text
    .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufffd]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  const chars = [...line];
  return chars.length <= MAX_CHARS ? line : `${chars.slice(0, MAX_CHARS - 1).join('')}…`;
}
