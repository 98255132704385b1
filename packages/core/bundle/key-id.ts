import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { BundleError } from './bundle-error.ts';

/**
 * `SHA256:` + unpadded base64 of the SHA-256 of the key's SSH wire encoding (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4),
 * as `ssh-keygen -l` prints it. The only form that cosign, npm and we accept alike: go-securesystemslib skips every
 * DSSE signature whose non-empty keyid is anything else.
 */
export function sshFingerprint(publicKeyPem: string): string {
  const digest = createHash('sha256')
    .update(sshWire(readPublicKey(publicKeyPem)))
    .digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

/** DER of the SubjectPublicKeyInfo (RFC 5280 4.1.2.7). */
export function publicKeyDer(publicKeyPem: string): Uint8Array {
  return new Uint8Array(readPublicKey(publicKeyPem).export({ format: 'der', type: 'spki' }));
}

/** Throws BundleError `bad-key` unless it is the PEM of a public key; a private key is refused, not read. */
export function readPublicKey(publicKeyPem: string): KeyObject {
  if (publicKeyPem.includes('PRIVATE KEY')) throw new BundleError('bad-key', 'public key: this is a private key; pass the public one');
  try {
    return createPublicKey(publicKeyPem);
  } catch (cause) {
    throw new BundleError('bad-key', 'public key: expected PEM that begins with -----BEGIN PUBLIC KEY-----', { cause });
  }
}

function sshWire(key: KeyObject): Uint8Array {
  const jwk = key.export({ format: 'jwk' });
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519' && jwk.x !== undefined) {
    return sshStrings(Buffer.from('ssh-ed25519'), Buffer.from(jwk.x, 'base64url'));
  }
  if (jwk.kty === 'EC' && jwk.crv === 'P-256' && jwk.x !== undefined && jwk.y !== undefined) {
    // SEC 1 2.3.3: 0x04, then both coordinates in full length.
    const point = Buffer.concat([Buffer.of(4), Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y, 'base64url')]);
    return sshStrings(Buffer.from('ecdsa-sha2-nistp256'), Buffer.from('nistp256'), point);
  }
  throw new BundleError('bad-key', `public key: ${jwk.kty ?? 'unknown'} ${jwk.crv ?? ''} is neither ECDSA P-256 nor Ed25519`);
}

/** RFC 4251 5: each string behind its length, 32 bits, big endian. */
function sshStrings(...parts: readonly Buffer[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
