import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { NoteSigner, RoleSigner, StatementSigner } from '@granary/contract/ports';
import { sshFingerprint } from '@granary/core/bundle';
import { verifierKey } from '@granary/core/tlog';

export function statementSigner(key: KeyObject): StatementSigner {
  const publicKeyPem = pemOf(key);
  return {
    keyId: sshFingerprint(publicKeyPem),
    publicKeyPem,
    sign: async (bytes) => new Uint8Array(sign('sha256', bytes, { key, dsaEncoding: 'der' })),
  };
}

export function roleSigner(key: KeyObject): RoleSigner {
  const publicKeyPem = pemOf(key);
  return { keyId: sshFingerprint(publicKeyPem), publicKeyPem, sign: async (bytes) => ed25519(key, bytes) };
}

/** The note key's name is the ledger's origin. */
export function noteSigner(key: KeyObject, origin: string): NoteSigner {
  return { verifierKey: verifierKey(origin, rawPublicKey(key)).text, sign: async (bytes) => ed25519(key, bytes) };
}

/** The 32 bytes of an Ed25519 public key. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url'));
}

function ed25519(key: KeyObject, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, bytes, key));
}

export function pemOf(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
}
