import { createHash } from 'node:crypto';
import { canonicalJson, type Sha256, toSha256 } from '../model/index.ts';
import { leafHash } from '../tlog/index.ts';
import { base64, type Envelope, preAuthEncoding } from './envelope.ts';
import { publicKeyDer } from './key-id.ts';

/** Kind and version that the leaf has in a Sigstore bundle. */
export const LEAF_KIND = { kind: 'hashedrekord', version: '0.0.2' } as const;

/**
 * The ledger's leaf of a signed statement: what Rekor v2 writes for the same envelope (`hashedrekord` 0.0.2 over the digest of
 * the PAE, RFC 8785), so that every Sigstore verifier takes the ledger for a transparency log.
 */
export function statementLeaf(envelope: Envelope, publicKeyPem: string): Uint8Array {
  const digest = createHash('sha256').update(preAuthEncoding(envelope.payload)).digest('base64');
  const verifier = { keyDetails: 'PKIX_ECDSA_P256_SHA_256', publicKey: { rawBytes: base64(publicKeyDer(publicKeyPem)) } };
  const hashedRekordV002 = { data: { algorithm: 'SHA2_256', digest }, signature: { content: base64(envelope.signature), verifier } };
  return new TextEncoder().encode(canonicalJson({ apiVersion: LEAF_KIND.version, kind: LEAF_KIND.kind, spec: { hashedRekordV002 } }));
}

/** The leaf hash of RFC 6962, as an `attested` fact names it. */
export function statementLeafHash(leaf: Uint8Array): Sha256 {
  return toSha256(Buffer.from(leafHash(leaf)).toString('hex'));
}
