import { createHash, createPublicKey, verify } from 'node:crypto';

/** C2SP signed-note signature type of Ed25519. */
const ED25519 = 0x01;

/** A public key that signs notes under a name. */
export interface VerifierKey {
  readonly name: string;
  /** Eight hexadecimal digits: the first four bytes of SHA-256(name || newline || type || public key). */
  readonly keyId: string;
  /** Raw Ed25519 public key: 32 bytes. */
  readonly publicKey: Uint8Array;
  /** `<name>+<key id>+<base64 of type and key>`. */
  readonly text: string;
}

/** Undefined for anything but a well-formed Ed25519 verifier key whose id is right. */
export function parseVerifierKey(text: string): VerifierKey | undefined {
  const [, name, keyId, base64] = /^([^\s+\u0085]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text) ?? [];
  const bytes = Buffer.from(base64 ?? '', 'base64');
  if (name === undefined || bytes.length !== 33 || bytes[0] !== ED25519) return undefined;
  const key = verifierKey(name, bytes.subarray(1));
  return key.keyId === keyId && key.text === text ? key : undefined;
}

/** Throws RangeError on a name with white space or `+`, or a key that isn't 32 bytes. */
export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  if (!/^[^\s+\u0085]+$/u.test(name) || !name.isWellFormed()) throw new RangeError(`note key name ${JSON.stringify(name)}: no white space, no +`);
  if (publicKey.length !== 32) throw new RangeError(`note key ${name}: ${publicKey.length} bytes, an Ed25519 key has 32`);
  const typed = Buffer.concat([Uint8Array.of(ED25519), publicKey]);
  const keyId = createHash('sha256').update(`${name}\n`).update(typed).digest('hex').slice(0, 8);
  return { name, keyId, publicKey: new Uint8Array(publicKey), text: `${name}+${keyId}+${typed.toString('base64')}` };
}

export function verifyEd25519({ publicKey }: VerifierKey, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  return verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), signature);
}
