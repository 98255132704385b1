import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { IN_TOTO_TYPE } from '@granary/core/bundle';
import { dsse } from '@sigstore/core';
import { initializeCA, initializeCTLog, initializeTLog } from '@sigstore/mock';

/** What a build service's authority vouches for. */
export interface TestBuild {
  readonly repository: string;
  readonly commit: string;
  readonly ref?: string;
  /** Default: a workflow of the repository. */
  readonly identity?: string;
}
/** What a signed statement says beside whom it was signed for. */
export interface TestSigning {
  readonly statement: unknown;
  /** `none` leaves out the time that the log vouches for. */
  readonly time?: 'logged' | 'none';
  /** What the log says; default: right after the certificate was issued. */
  readonly loggedAt?: Date;
}
/** A certificate authority, a certificate transparency log and a transparency log, each with keys of its own. */
export interface TestSigstore {
  readonly trustedRoot: Uint8Array;
  /** A bundle v0.3 as JSON. */
  attest(build: TestBuild, signing: TestSigning): Promise<TestBundle>;
}
export interface TestBundle {
  readonly mediaType: string;
  readonly verificationMaterial: { readonly certificate: { readonly rawBytes: string }; readonly tlogEntries: readonly object[] };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string; readonly keyid: string }[];
  };
}

export const ISSUER = 'https://tokens.forge.example';
const ALWAYS = { start: '2020-01-01T00:00:00Z' };
const ARC = '1.3.6.1.4.1.57264.1.';

export async function openTestSigstore(): Promise<TestSigstore> {
  const [authority, transparency, log] = [keys(), keys(), keys()];
  const ctLog = await initializeCTLog(transparency);
  const ca = await initializeCA(authority, ctLog);
  const logOf = ({ publicKey }: ReturnType<typeof keys>, host: string) => {
    const rawBytes = publicKey.export({ format: 'der', type: 'spki' });
    const keyId = hash('sha256', rawBytes, 'base64');
    return {
      baseUrl: `https://${host}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: base64(rawBytes), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: ALWAYS },
      logId: { keyId },
    };
  };
  const trusted = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logOf(log, 'log.example')],
    ctlogs: [logOf(transparency, 'ct.example')],
    certificateAuthorities: [{ uri: 'https://ca.example', certChain: { certificates: [{ rawBytes: base64(ca.rootCertificate) }] }, validFor: ALWAYS }],
    timestampAuthorities: [],
  };
  return {
    trustedRoot: Buffer.from(JSON.stringify(trusted)),
    async attest(build, { statement, time = 'logged', loggedAt }) {
      const signer = keys();
      const certificate = await ca.issueCertificate({
        publicKey: signer.publicKey.export({ format: 'der', type: 'spki' }),
        subjectAltName: build.identity ?? `${build.repository}/.forge/release.yml@${build.ref ?? 'refs/heads/main'}`,
        extensions: extensionsOf(build),
      });
      const payload = Buffer.from(JSON.stringify(statement));
      const sig = sign('sha256', dsse.preAuthEncoding(IN_TOTO_TYPE, payload), signer.privateKey);
      const tlog = await initializeTLog('https://log.example', log, loggedAt ?? new Date());
      const entry = entryOf(await tlog.log(dsseEntry(payload, sig, certificate)));
      const { inclusionPromise: _, ...untimed } = entry;
      return {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { certificate: { rawBytes: base64(certificate) }, tlogEntries: [time === 'logged' ? entry : untimed] },
        dsseEnvelope: { payload: base64(payload), payloadType: IN_TOTO_TYPE, signatures: [{ sig: base64(sig), keyid: '' }] },
      };
    },
  };
}

function keys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Fulcio's extensions for every issuer, from the eighth on. */
function extensionsOf({ repository, commit, ref = 'refs/heads/main' }: TestBuild) {
  const texts = { 8: ISSUER, 12: repository, 13: commit, 14: ref, 18: `${repository}/.forge/release.yml@${ref}` };
  return Object.entries(texts).map(([number, value]) => ({ oid: `${ARC}${number}`, value }));
}

/** Rekor's `dsse` 0.0.1: digests of what was signed, and the signature with its certificate. */
function dsseEntry(payload: Uint8Array, signature: Uint8Array, certificate: ArrayBufferView): object {
  const pem = `-----BEGIN CERTIFICATE-----\n${base64(certificate).replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      payloadHash: { algorithm: 'sha256', value: hash('sha256', payload, 'hex') },
      signatures: [{ signature: base64(signature), verifier: Buffer.from(pem).toString('base64') }],
    },
  };
}

interface LoggedEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: { readonly logIndex: number; readonly treeSize: number; readonly rootHash: string; readonly checkpoint: string };
  };
}

/** What the log answers, as bundles have it. */
function entryOf(answer: Readonly<Record<string, LoggedEntry>>) {
  const [logged] = Object.values(answer);
  if (logged === undefined) throw new RangeError('the log answers without an entry');
  const { inclusionProof, signedEntryTimestamp } = logged.verification;
  return {
    logIndex: String(logged.logIndex),
    logId: { keyId: Buffer.from(logged.logID, 'hex').toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(logged.integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(inclusionProof.logIndex),
      rootHash: Buffer.from(inclusionProof.rootHash, 'hex').toString('base64'),
      treeSize: String(inclusionProof.treeSize),
      hashes: [],
      checkpoint: { envelope: inclusionProof.checkpoint },
    },
    canonicalizedBody: logged.body,
  };
}

function base64(bytes: ArrayBufferView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
