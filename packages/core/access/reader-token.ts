import { timingSafeEqual } from 'node:crypto';
import { type Sha256, sha256 } from '../model/index.ts';

declare const brand: unique symbol;
/** Sixteen hexadecimal digits by chance: stands for a reader wherever nobody should read a name. */
export type ReaderId = string & { readonly [brand]: 'ReaderId' };

export function parseReaderId(text: string): ReaderId | undefined {
  return /^[0-9a-f]{16}$/.test(text) ? (text as ReaderId) : undefined;
}

/** A token as somebody shows it. Only its digest is ever kept. */
export interface ShownToken {
  readonly id: ReaderId;
  /** Of the whole token. A digest without salt will do: nobody guesses 32 bytes of chance. */
  readonly digest: Sha256;
}

/** 32 bytes. */
const SECRET_BYTES = 32;
/** A known word in front, so that what scans texts for secrets finds it. */
const TOKEN = /^granary_([0-9a-f]{16})_[0-9a-f]{64}$/;
/** A token is 89 characters; user names beside it are short. */
const MAX_HEADER_LENGTH = 1024;

/** The token of a reader: `granary_`, its id, `_`, and the secret in hexadecimal. Throws RangeError unless there are 32 bytes of it. */
export function formatReaderToken(id: ReaderId, secret: Uint8Array): string {
  if (secret.length !== SECRET_BYTES) throw new RangeError(`reader token: ${secret.length} bytes of chance, expected ${SECRET_BYTES}`);
  return `granary_${id}_${Buffer.from(secret).toString('hex')}`;
}

/** Undefined for anything that isn't a token of ours. */
export function parseReaderToken(text: string): ShownToken | undefined {
  const id = parseReaderId(TOKEN.exec(text)?.[1] ?? '');
  return id === undefined ? undefined : { id, digest: sha256(text) };
}

/**
 * The token in an `Authorization` header, untrusted: as Bearer (RFC 6750 2.1), as the password of Basic (RFC 7617 2) whatever the user's name,
 * or bare, as cargo sends it (the Cargo book, registry authentication).
 */
export function tokenOfAuthorization(header: string): ShownToken | undefined {
  if (header.length > MAX_HEADER_LENGTH) return undefined;
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+) *$/.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case '':
      return parseReaderToken(header.trim());
    case 'bearer':
      return parseReaderToken(credentials);
    case 'basic':
      return parseReaderToken(passwordOf(credentials));
    default:
      return undefined;
  }
}

/** Takes the same time wherever the digests differ. */
export function isTokenOf(shown: ShownToken, digest: Sha256): boolean {
  return timingSafeEqual(Buffer.from(shown.digest, 'hex'), Buffer.from(digest, 'hex'));
}

/** What stands behind the first colon: a user's name holds none. */
function passwordOf(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}
