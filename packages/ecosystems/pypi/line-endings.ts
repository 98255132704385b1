const CR = 0x0d;
const LF = 0x0a;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether every byte of it is text: UTF-8 without a NUL. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

export function hasCrlf(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('\r\n');
}

/** Each CR LF as LF; a lone CR stays. The same array when there is none. */
export function withUnixLines(bytes: Uint8Array): Uint8Array {
  if (!hasCrlf(bytes)) return bytes;
  const lines = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === CR && bytes[at + 1] === LF) continue;
    lines[length] = byte ?? 0;
    length += 1;
  }
  return lines.subarray(0, length);
}
