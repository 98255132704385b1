import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifierKey } from '../tlog/index.ts';
import { formatTrustFile, parseTrustFile, sshFingerprint } from './index.ts';

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' }).toString();
const ledger = verifierKey('mirror.example', new Uint8Array(32).fill(7));
const trust = { statementKeys: [{ keyId: sshFingerprint(pem), pem }], ledgers: [ledger] } as const;

describe('a trust file', () => {
  it('survives a round trip', () => {
    expect(parseTrustFile(formatTrustFile(trust))).toEqual(trust);
  });

  it('is a bare PEM too, which pins no ledger', () => {
    expect(parseTrustFile(pem)).toEqual({ ...trust, ledgers: [] });
  });

  it('is read with the line ends of another system', () => {
    expect(parseTrustFile(formatTrustFile(trust).replaceAll('\n', '\r\n'))).toEqual(trust);
  });

  it.each([
    ['no key', '# nothing\n', /no -----BEGIN PUBLIC KEY-----/],
    ['a line nobody knows', `witness x\n${pem}`, /line "witness x"/],
    ['a ledger key whose hash is wrong', formatTrustFile(trust).replace(ledger.keyId, '00000000'), /ledger key/],
    ['an origin that is no bare host', formatTrustFile({ ...trust, ledgers: [verifierKey('mirror.example/log', new Uint8Array(32))] }), /bare host/],
    ['far too much text', 'x'.repeat(70_000), /more than 65536/],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parseTrustFile(text)).toThrow(message);
  });
});
