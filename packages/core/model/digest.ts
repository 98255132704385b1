import { hash } from 'node:crypto';

declare const brand: unique symbol;
/** Lower-case hexadecimal SHA-256 of the original bytes: 64 characters. */
export type Sha256 = string & { readonly [brand]: 'Sha256' };

export function parseSha256(text: string): Sha256 | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as Sha256) : undefined;
}

/** As {@link parseSha256}, for values that our own code wrote: throws RangeError on anything else. */
export function toSha256(text: string): Sha256 {
  const parsed = parseSha256(text);
  if (parsed === undefined) throw new RangeError(`sha256 ${JSON.stringify(text.slice(0, 80))}: expected 64 lower-case hexadecimal digits`);
  return parsed;
}

export function sha256(bytes: Uint8Array | string): Sha256 {
  return hash('sha256', bytes, 'hex') as Sha256;
}

/** Digests as an upstream states them, by algorithm, lower-case hexadecimal. */
export interface Digests {
  readonly sha256?: Sha256;
  readonly sha512?: string;
  readonly sha384?: string;
  readonly sha1?: string;
  readonly md5?: string;
}
