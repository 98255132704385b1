import type { SQLOutputValue } from 'node:sqlite';
import { parseSha256, type Sha256 } from '@granary/core/model';

/** Digests lie in the file as their 32 bytes. */
export function digestBytes(digest: Sha256): Uint8Array {
  return Buffer.from(digest, 'hex');
}

/** Undefined when the column holds something else. */
export function digestText(column: SQLOutputValue | undefined): Sha256 | undefined {
  return column instanceof Uint8Array ? parseSha256(Buffer.from(column).toString('hex')) : undefined;
}
