import { type ObjectStore, type StatementSigner, StoreError } from '@granary/contract/ports';
import {
  type Envelope,
  encodeEnvelope,
  encodeStatement,
  envelopeId,
  IN_TOTO_TYPE,
  isSignedBy,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  type Statement,
} from '@granary/core/bundle';
import { envelopeKey, type ObjectKey } from '@granary/core/layout';
import { type Sha256, sha256 } from '@granary/core/model';
import { DSSEBundleBuilder } from '@sigstore/sign';
import { AttestError } from './attest-error.ts';

export interface SigningPorts {
  readonly signer: StatementSigner;
  readonly objects: ObjectStore;
}

/** A statement whose envelope is durable under its own name. */
export interface SignedStatement {
  readonly envelope: Envelope;
  /** Names the envelope's object. */
  readonly id: Sha256;
  /** Digest of the payload. */
  readonly payload: Sha256;
}

/**
 * Signs a statement once: the envelope lies under a key made of payload and key id, so that whoever comes second, be it a race or a
 * run after a kill, adopts the signature that is there. ECDSA is randomised: two signatures would be two statements.
 */
export async function signStatement(ports: SigningPorts, statement: Statement): Promise<SignedStatement> {
  const { signer, objects } = ports;
  const bytes = encodeStatement(statement);
  const payload = sha256(bytes);
  const id = envelopeId(payload, signer.keyId);
  const key = envelopeKey(id);
  const found = await adopt(ports, key, bytes);
  if (found !== undefined) return { envelope: found, id, payload };
  const envelope = await signEnvelope(signer, bytes);
  try {
    await objects.putOnce(key, encodeEnvelope(envelope));
    return { envelope, id, payload };
  } catch (cause) {
    if (!(cause instanceof StoreError && cause.code === 'key-taken')) throw cause;
    const winner = await adopt(ports, key, bytes);
    if (winner === undefined) throw new AttestError('envelope-corrupt', `read ${key}: taken a moment ago, and now not there`, { cause });
    return { envelope: winner, id, payload };
  }
}

/** What was stored before is not trusted for being there: it has to be our signature over these very bytes. */
async function adopt({ signer, objects }: SigningPorts, key: ObjectKey, payload: Uint8Array): Promise<Envelope | undefined> {
  const stored = await objects.get(key, MAX_ENVELOPE_BYTES);
  if (stored === undefined) return undefined;
  const envelope = parseEnvelope(stored);
  if (Buffer.compare(envelope.payload, payload) === 0 && isSignedBy(envelope, signer.publicKeyPem)) return envelope;
  throw new AttestError('envelope-corrupt', `read ${key}: not a signature of ${signer.keyId} over this statement; move the object away and run again`);
}

/** No witness is attached: the ledger is the log, and its proof comes later than the signature. */
async function signEnvelope(signer: StatementSigner, payload: Uint8Array): Promise<Envelope> {
  const builder = new DSSEBundleBuilder({
    signer: {
      sign: async (bytes) => ({
        signature: Buffer.from(await signer.sign(bytes)),
        key: { $case: 'publicKey', publicKey: signer.publicKeyPem, hint: signer.keyId },
      }),
    },
    witnesses: [],
  });
  const { content } = await builder.create({ data: Buffer.from(payload), type: IN_TOTO_TYPE });
  const [signature] = content.$case === 'dsseEnvelope' ? content.dsseEnvelope.signatures : [];
  if (signature === undefined || signature.keyid !== signer.keyId) {
    throw new AttestError('unexpected-bundle', `sign ${payload.length} bytes as ${signer.keyId}: the bundle holds no such signature`);
  }
  return { payload, keyId: signature.keyid, signature: new Uint8Array(signature.sig) };
}
