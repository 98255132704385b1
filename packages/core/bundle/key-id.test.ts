import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readPublicKey, sshFingerprint } from './index.ts';

// Keys and fingerprints as `ssh-keygen -lf` of OpenSSH printed them.
const P256 = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHGyExGlfRXqtX79OmrxwSiYOJVZ5
erUAfe8siC+jyhJjqQ1P3o57GW3FkU87DvI/cpXXri6hzbVkitN3yrkpJQ==
-----END PUBLIC KEY-----
`;
const ED25519 = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAobsCi4YQQAJJFoJYxDmYtPPrfWbCg8O+vq8FcGRpOcs=
-----END PUBLIC KEY-----
`;

describe('a key id', () => {
  it('is the fingerprint that OpenSSH prints', () => {
    expect(sshFingerprint(P256)).toBe('SHA256:tVkbZ+rbR12QWifR4JfhASaXCHvdJ1FCvRWHxiIHQ+A');
    expect(sshFingerprint(ED25519)).toBe('SHA256:ZbdQ+3+7TqTTWyUupqky4tBR4la5b9HY1/pbbhoKL4Y');
  });

  it('is refused to other kinds of keys', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });

    expect(() => sshFingerprint(publicKey.export({ format: 'pem', type: 'spki' }).toString())).toThrow(/neither ECDSA P-256 nor Ed25519/);
  });
});

describe('a public key', () => {
  it('is never read from a private one', () => {
    const { privateKey } = generateKeyPairSync('ed25519');

    expect(() => readPublicKey(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())).toThrow(/private key; pass the public one/);
  });

  it('is PEM', () => {
    expect(() => readPublicKey('ssh-ed25519 AAAA')).toThrow(/expected PEM/);
  });
});
