import { verify } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { z } from 'zod';
import { canonicalJson, type Json, type Sha256, sha256 } from '../model/index.ts';
import { BundleError } from './bundle-error.ts';
import { sshFingerprint } from './key-id.ts';
import { IN_TOTO_TYPE } from './statement.ts';

/** A DSSE envelope of an in-toto statement, signed once by one key. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly keyId: string;
  /** DER (ECDSA). */
  readonly signature: Uint8Array;
}

/** Room for a provenance of a few thousand dependencies in Base64. */
export const MAX_ENVELOPE_BYTES = 4 * 1024 * 1024;

/** What the signature is over: DSSE protocol, pre-authentication encoding. */
export function preAuthEncoding(payload: Uint8Array): Uint8Array {
  return dsse.preAuthEncoding(IN_TOTO_TYPE, Buffer.from(payload));
}

/** Did this key sign it? Under the key id that the envelope names, and over its very payload. */
export function isSignedBy({ payload, keyId, signature }: Envelope, publicKeyPem: string): boolean {
  return keyId === sshFingerprint(publicKeyPem) && verify('sha256', preAuthEncoding(payload), publicKeyPem, signature);
}

/** Names the place of an envelope before it is signed: ECDSA is randomised, so its content can't. */
export function envelopeId(payload: Sha256, keyId: string): Sha256 {
  return sha256(canonicalJson([payload, keyId]));
}

export function envelopeJson({ payload, keyId, signature }: Envelope): { readonly [name: string]: Json } {
  return { payload: base64(payload), payloadType: IN_TOTO_TYPE, signatures: [{ keyid: keyId, sig: base64(signature) }] };
}

/** Canonical JSON, as it is stored. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return new TextEncoder().encode(canonicalJson(envelopeJson(envelope)));
}

const WireEnvelope = z.object({
  payload: z.base64(),
  payloadType: z.literal(IN_TOTO_TYPE),
  signatures: z.tuple([z.object({ keyid: z.string().min(1), sig: z.base64().min(1) })]),
});

/** Parses untrusted bytes; throws BundleError `bad-envelope`. Says nothing about the signature. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw new BundleError('bad-envelope', `envelope: ${bytes.length} bytes, at most ${MAX_ENVELOPE_BYTES}`);
  const parsed = WireEnvelope.safeParse(parseJson(bytes));
  if (!parsed.success)
    throw new BundleError('bad-envelope', 'envelope: expected DSSE JSON with one signature over an in-toto payload', { cause: parsed.error });
  const [{ keyid, sig }] = parsed.data.signatures;
  return { payload: fromBase64(parsed.data.payload), keyId: keyid, signature: fromBase64(sig) };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BundleError('bad-envelope', 'envelope: not JSON', { cause });
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
