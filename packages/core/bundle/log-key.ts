import { createHash } from 'node:crypto';
import { parseVerifierKey, type VerifierKey } from '../tlog/index.ts';
import { BundleError } from './bundle-error.ts';

/** RFC 8410 4: what stands before the 32 bytes in an Ed25519 SubjectPublicKeyInfo. */
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
/** C2SP signed-note signature type of Ed25519. */
const ED25519_NOTE_KEY = 1;

/**
 * The verifier key of a ledger, whose name is the ledger's origin. Throws BundleError `bad-key`, also for a name that is no bare host:
 * cosign finds no verifiable signature under any other.
 */
export function readLedgerKey(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (key === undefined)
    throw new BundleError('bad-key', `ledger key ${JSON.stringify(text.slice(0, 120))}: expected <origin>+<8 hex digits>+<base64 of an Ed25519 key>`);
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(key.name))
    throw new BundleError('bad-key', `ledger origin ${JSON.stringify(key.name)}: expected a bare host name`);
  return key;
}

/** What Rekor v2 calls the log id: all 32 bytes of the hash whose first four are the note's key id. */
export function logId({ name, publicKey }: VerifierKey): Uint8Array {
  return createHash('sha256').update(`${name}\n`).update(Uint8Array.of(ED25519_NOTE_KEY)).update(publicKey).digest();
}

/** DER of the SubjectPublicKeyInfo. */
export function ledgerKeyDer({ publicKey }: VerifierKey): Uint8Array {
  return Buffer.concat([ED25519_SPKI_PREFIX, publicKey]);
}

/** Eight bytes of the key's SHA-256 below `.granary.invalid` (RFC 6761 6.4): unique, and nobody's name. */
export function defaultOrigin(publicKey: Uint8Array): string {
  return `${createHash('sha256').update(publicKey).digest('hex').slice(0, 16)}.granary.invalid`;
}
