import { encodePacket, encodeSpecial, type GitFormatCode, GitFormatError } from '../index.ts';

/** An answer of a server made by hand: lines, and `flush`, `delimiter` or `response-end` where they stand alone as `|…`. */
export function packets(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (part === '|flush') return encodeSpecial('flush');
      if (part === '|delimiter') return encodeSpecial('delimiter');
      return part === '|response-end' ? encodeSpecial('response-end') : encodePacket(part);
    }),
  );
}

/** Which code of GitFormatError something ends with, or `read`. */
export async function codeOf(read: () => unknown): Promise<GitFormatCode | 'read'> {
  try {
    await read();
    return 'read';
  } catch (error) {
    if (error instanceof GitFormatError) return error.code;
    throw error;
  }
}
