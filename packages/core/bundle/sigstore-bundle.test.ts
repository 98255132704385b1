import { generateKeyPairSync, sign } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { describe, expect, it } from 'vitest';
import { parseCanonicalJson } from '../model/index.ts';
import {
  type Envelope,
  encodeEnvelope,
  encodeStatement,
  logId,
  parseEnvelope,
  preAuthEncoding,
  sigstoreBundle,
  sshFingerprint,
  statementLeaf,
  statementsOf,
  trustedRoot,
} from './index.ts';
import { judgedWheel } from './test/judged-wheel.ts';
import { logOf } from './test/log-of.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();

function envelopeOf(): Envelope {
  const [statement] = statementsOf(judgedWheel, 'mirror.example');
  if (statement === undefined) throw new Error('no statement');
  const payload = encodeStatement(statement);
  return { payload, keyId: sshFingerprint(pem), signature: sign('sha256', preAuthEncoding(payload), privateKey) };
}
const noise = (count: number): Uint8Array[] => Array.from({ length: count }, (_, at) => new TextEncoder().encode(`{"leaf":${at}}`));

describe('a bundle', () => {
  it.each([
    [0, 1],
    [0, 2],
    [6, 7],
    [255, 300],
    [299, 300],
    [70, 700],
  ])('of leaf %i in a ledger of %i satisfies @sigstore/verify at its own thresholds but for the time', async (index, size) => {
    const envelope = envelopeOf();
    const log = logOf('mirror.example', noise(size).with(index, statementLeaf(envelope, pem)));
    const material = toTrustMaterial(TrustedRoot.fromJSON(trustedRoot([log.key])), () => ({ publicKey, validFor: () => true }));
    const verifier = new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 });

    const bundle = bundleFromJSON(sigstoreBundle(envelope, await log.inclusion(index)));

    expect(() => verifier.verify(toSignedEntity(bundle))).not.toThrow();
  });

  it('keeps a log index of zero, which generated code would leave out', async () => {
    const envelope = envelopeOf();
    const log = logOf('mirror.example', [statementLeaf(envelope, pem)]);

    expect(JSON.stringify(sigstoreBundle(envelope, await log.inclusion(0)))).toContain('"logIndex":"0"');
  });
});

describe('the leaf of a statement', () => {
  it('has the canonical form of a Rekor v2 hashedrekord, over the digest of what was signed', () => {
    const leaf = new TextDecoder().decode(statementLeaf(envelopeOf(), pem));

    expect(parseCanonicalJson(leaf)).toMatchObject({
      apiVersion: '0.0.2',
      kind: 'hashedrekord',
      spec: { hashedRekordV002: { data: { algorithm: 'SHA2_256' } } },
    });
  });
});

describe('an envelope', () => {
  it('survives a round trip', () => {
    const envelope = envelopeOf();

    expect(parseEnvelope(encodeEnvelope(envelope))).toEqual({ ...envelope, signature: new Uint8Array(envelope.signature) });
  });

  it.each([
    ['no JSON', '{'],
    ['another payload type', '{"payload":"","payloadType":"text/plain","signatures":[{"keyid":"k","sig":"AA=="}]}'],
    ['two signatures', '{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"k","sig":"AA=="},{"keyid":"k","sig":"AA=="}]}'],
  ])('is refused with %s', (_, text) => {
    expect(() => parseEnvelope(Buffer.from(text))).toThrow(/^envelope: /);
  });
});

describe('a trusted root', () => {
  it('names the ledger by the whole hash whose first bytes are the note key id', () => {
    const { key } = logOf('mirror.example', noise(1));

    expect(Buffer.from(logId(key)).toString('hex', 0, 4)).toBe(key.keyId);
    expect(trustedRoot([key])).toMatchObject({ tlogs: [{ baseUrl: 'https://mirror.example', logId: { keyId: Buffer.from(logId(key)).toString('base64') } }] });
  });
});
