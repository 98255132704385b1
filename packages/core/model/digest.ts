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

/** Digests of a file's bytes, by algorithm, lower-case hexadecimal. */
export interface ByteDigests {
  readonly sha256?: Sha256;
  readonly sha512?: string;
  readonly sha384?: string;
  readonly sha1?: string;
  readonly md5?: string;
}

/** What an upstream states of a file before its bytes are there; nothing, where it states nothing. */
export interface Digests extends ByteDigests {
  /** Of the files in a Go module zip, or of a go.mod, not of the bytes themselves: `h1:` and base64 (golang.org/x/mod/sumdb/dirhash). */
  readonly h1?: string;
}

/** Are two statements about the same file? Undefined where no algorithm is common to both. */
export function digestsAgree(one: Digests, other: Digests): boolean | undefined {
  const common = (['sha256', 'sha512', 'sha384', 'sha1', 'md5', 'h1'] as const).filter((name) => one[name] !== undefined && other[name] !== undefined);
  return common.length === 0 ? undefined : common.every((name) => one[name] === other[name]);
}
