import {
  type Envelope,
  IN_TOTO_TYPE,
  type KeyHistory,
  parseStatement,
  readPublicKey,
  type Statement,
  type StatementKey,
  statementLeaf,
  statementLeafHash,
  type TrustFile,
  trustedRoot,
} from '@granary/core/bundle';
import type { Sha256 } from '@granary/core/model';
import { openCheckpoint, type VerifierKey } from '@granary/core/tlog';
import { BUNDLE_V03_MEDIA_TYPE, type Bundle, bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, VerificationError, Verifier } from '@sigstore/verify';
import { VerifyError } from './verify-error.ts';

/** How many independent confirmations each kind of evidence needs. */
export interface Thresholds {
  /** Inclusion in the ledger, proven against its signed checkpoint. */
  readonly tlog: number;
  /** Signed time stamps; without one nobody vouches for a time. */
  readonly timestamp: number;
  /** Certificate transparency; the keys of a site have no certificates. */
  readonly ctlog: number;
}
export const DEFAULT_THRESHOLDS: Thresholds = { tlog: 1, timestamp: 0, ctlog: 0 };

export interface BundleTrust {
  readonly trust: TrustFile;
  readonly log: VerifierKey;
  readonly keys: KeyHistory;
  readonly thresholds: Thresholds;
}
/** A statement that holds: signed by a trusted key, at an index at which the key was in use. */
export interface CheckedStatement {
  readonly statement: Statement;
  readonly keyId: string;
  readonly index: number;
  readonly treeSize: number;
  /** Hash of the ledger entry that was proven. */
  readonly leaf: Sha256;
}

/** Checks one bundle, given as JSON from anywhere, about one file. Throws VerifyError with the first thing that is wrong. */
export function checkBundle(json: unknown, file: Sha256, { trust, log, keys, thresholds }: BundleTrust): CheckedStatement {
  const { bundle, envelope, entry } = readBundle(json);
  const key = trust.statementKeys.find(({ keyId }) => keyId === envelope.keyId);
  if (key === undefined) {
    throw new VerifyError('wrong-key', `signed by ${envelope.keyId}, but the public key given is ${trust.statementKeys.map(({ keyId }) => keyId).join(', ')}`);
  }
  const treeSize = checkpointSize(entry.checkpoint, log);
  verifyWithSigstore(bundle, key, log, thresholds);
  // @sigstore/verify proves the proof's index, and leaves the entry's own and the key within the leaf alone.
  if (entry.index !== entry.provenIndex) throw new VerifyError('proof-altered', `bundle: says entry ${entry.index}, but proves entry ${entry.provenIndex}`);
  if (Buffer.compare(entry.leaf, statementLeaf(envelope, key.pem)) !== 0)
    throw new VerifyError('envelope-altered', 'bundle: the ledger entry belongs to another signature');
  const statement = readStatement(envelope);
  if (statement.subject.sha256 !== file)
    throw new VerifyError('other-file', `statement: about sha256:${statement.subject.sha256} (${statement.subject.name}), not about this file`);
  checkRange(key, entry.index, keys, log);
  return { statement, keyId: key.keyId, index: entry.index, treeSize, leaf: statementLeafHash(entry.leaf) };
}

interface BundleEntry {
  readonly index: number;
  readonly provenIndex: number;
  readonly leaf: Uint8Array;
  readonly checkpoint: string;
}

function readBundle(json: unknown): { readonly bundle: Bundle; readonly envelope: Envelope; readonly entry: BundleEntry } {
  const bundle = malformedUnless(() => bundleFromJSON(json));
  const { content, mediaType, verificationMaterial } = bundle;
  const [entry, ...others] = verificationMaterial.tlogEntries;
  if (mediaType !== BUNDLE_V03_MEDIA_TYPE || content.$case !== 'dsseEnvelope' || content.dsseEnvelope.payloadType !== IN_TOTO_TYPE) {
    throw new VerifyError('bundle-malformed', `bundle: expected ${BUNDLE_V03_MEDIA_TYPE} with an in-toto statement`);
  }
  // A signed promise of inclusion would satisfy the verifier without any proof.
  if (entry?.inclusionProof?.checkpoint === undefined || others.length > 0 || entry.inclusionPromise !== undefined) {
    throw new VerifyError('bundle-malformed', 'bundle: expected one ledger entry with an inclusion proof and nothing else');
  }
  const [signature] = content.dsseEnvelope.signatures;
  if (signature === undefined || verificationMaterial.content.$case !== 'publicKey' || verificationMaterial.content.publicKey.hint !== signature.keyid) {
    throw new VerifyError('bundle-malformed', 'bundle: expected one signature, made by the key that the bundle names');
  }
  return {
    bundle,
    envelope: { payload: content.dsseEnvelope.payload, keyId: signature.keyid, signature: signature.sig },
    entry: {
      index: Number(entry.logIndex),
      provenIndex: Number(entry.inclusionProof.logIndex),
      leaf: entry.canonicalizedBody,
      checkpoint: entry.inclusionProof.checkpoint.envelope,
    },
  };
}

function checkpointSize(checkpoint: string, log: VerifierKey): number {
  try {
    return openCheckpoint(new TextEncoder().encode(checkpoint), log.name, log).size;
  } catch (cause) {
    throw new VerifyError('checkpoint-altered', `bundle: its checkpoint is not what ${log.text} signed`, { cause });
  }
}

function verifyWithSigstore(bundle: Bundle, key: StatementKey, log: VerifierKey, thresholds: Thresholds): void {
  // Validity in time is not known here; the range of ledger indexes is checked by us.
  const material = toTrustMaterial(TrustedRoot.fromJSON(trustedRoot([log])), () => ({ publicKey: readPublicKey(key.pem), validFor: () => true }));
  const verifier = new Verifier(material, { tlogThreshold: thresholds.tlog, timestampThreshold: thresholds.timestamp, ctlogThreshold: thresholds.ctlog });
  try {
    verifier.verify(toSignedEntity(bundle));
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause;
    throw refusal(cause);
  }
}

function refusal(cause: VerificationError): VerifyError {
  switch (cause.code) {
    case 'TLOG_INCLUSION_PROOF_ERROR':
    case 'TLOG_MISSING_INCLUSION_ERROR':
    case 'TLOG_INCLUSION_PROMISE_ERROR':
      return new VerifyError('proof-altered', `bundle: the inclusion proof does not lead to the checkpoint's root: ${cause.message}`, { cause });
    case 'TIMESTAMP_ERROR':
    case 'TLOG_ERROR':
    case 'CERTIFICATE_ERROR':
      return new VerifyError('threshold-missed', `bundle: less evidence than the thresholds demand: ${cause.message}`, { cause });
    default:
      return new VerifyError('envelope-altered', `bundle: the statement is not the one that was signed and logged: ${cause.message}`, { cause });
  }
}

function readStatement(envelope: Envelope): Statement {
  return malformedUnless(() => parseStatement(envelope.payload));
}

/** Without a trusted time, when a key was valid is a matter of where in the ledger its signature stands. */
function checkRange({ keyId }: StatementKey, index: number, { statementKeys }: KeyHistory, log: VerifierKey): void {
  const range = statementKeys.get(keyId);
  if (range === undefined || index < range.from)
    throw new VerifyError('wrong-key', `${keyId} signed entry ${index}, but ${log.name} did not list it as a key of the site by then`);
  if (range.before !== undefined && index >= range.before) {
    throw new VerifyError(
      'key-retired',
      `${keyId} signed entry ${index}, but its signatures count only below entry ${range.before} of ${log.name} (${range.reason ?? 'retired'})`,
    );
  }
}

function malformedUnless<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new VerifyError('bundle-malformed', `bundle: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
