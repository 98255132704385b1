import type { AttestationOutcome, AttestedSource } from '@granary/contract/ports';
import { IN_TOTO_TYPE } from '@granary/core/bundle';
import { parseRepository } from '@granary/core/git';
import { type Digests, digestsAgree, parseSha256 } from '@granary/core/model';
import { type Bundle, bundleFromJSON } from '@sigstore/bundle';
import { type Signer, toSignedEntity, type Verifier } from '@sigstore/verify';
import { sourceOfCertificate } from './source-of-certificate.ts';
import { gitCommitsOf, parseAttestation, type Statement } from './statement.ts';

/** Real bundles have one of each. */
const MAX_ENTRIES = 4;
const MAX_WHY_CHARS = 300;

/** Checks one bundle, given as JSON from anywhere, about a file with these digests. */
export function checkAttestation(verifier: Verifier, json: unknown, digests: Digests): AttestationOutcome {
  try {
    return { ok: true, source: attestedSource(verifier, json, digests) };
  } catch (error) {
    // Untrusted bytes in parsers of JSON, protobuf and ASN.1: whatever they throw is why it doesn't hold.
    return { ok: false, why: (error instanceof Error ? error.message : String(error)).slice(0, MAX_WHY_CHARS) };
  }
}

class NotAttested extends Error {
  override readonly name = 'NotAttested';
}

function attestedSource(verifier: Verifier, json: unknown, digests: Digests): AttestedSource {
  const { bundle, payload } = readBundle(json);
  const signer: Signer = verifier.verify(toSignedEntity(bundle));
  const statement = parseAttestation(payload);
  if (statement === undefined) throw new NotAttested('what was signed is no statement that can be read');
  if (!statement.subjects.some((subject) => isAbout(subject, digests)))
    throw new NotAttested('signed for another file: none of its subjects has these digests');
  const source = sourceOfCertificate(signer.identity);
  if (typeof source === 'string') throw new NotAttested(source);
  confirmCommit(statement, source);
  return source;
}

function readBundle(json: unknown): { readonly bundle: Bundle; readonly payload: Uint8Array } {
  const bundle = bundleFromJSON(json);
  const { content, verificationMaterial } = bundle;
  const { tlogEntries, timestampVerificationData } = verificationMaterial;
  if (tlogEntries.length > MAX_ENTRIES || (timestampVerificationData?.rfc3161Timestamps.length ?? 0) > MAX_ENTRIES)
    throw new NotAttested(`a bundle with more than ${MAX_ENTRIES} log entries or times`);
  if (verificationMaterial.content.$case === 'publicKey') throw new NotAttested('signed by a key: only certificates name a source');
  if (content.$case !== 'dsseEnvelope' || content.dsseEnvelope.payloadType !== IN_TOTO_TYPE || content.dsseEnvelope.signatures.length !== 1)
    throw new NotAttested('a bundle without a statement that has one signature');
  return { bundle, payload: content.dsseEnvelope.payload };
}

/** By a digest that nobody can forge; its name says nothing that this doesn't. */
function isAbout({ sha256, sha512 }: Statement['subjects'][number], known: Digests): boolean {
  const stated = { sha256: parseSha256(sha256 ?? ''), sha512 };
  const strong = (digests: { readonly sha256?: Digests['sha256'] | undefined; readonly sha512?: string | undefined }): Digests => ({
    ...(digests.sha256 === undefined ? {} : { sha256: digests.sha256 }),
    ...(digests.sha512 === undefined ? {} : { sha512: digests.sha512 }),
  });
  return digestsAgree(strong(stated), strong(known)) === true;
}

/** The builder wrote the statement, the authority the certificate: where both name commits, they must be of one mind. */
function confirmCommit(statement: Statement, { repository, commit }: AttestedSource): void {
  const named = gitCommitsOf(statement).map((dependency) => ({ ...dependency, repository: parseRepository(dependency.address)?.purl }));
  const isConfirmed = named.some((dependency) => dependency.repository === repository && dependency.commit === commit);
  const other = named.find((dependency) => dependency.repository === repository && dependency.commit !== commit);
  if (named.length > 0 && (!isConfirmed || other !== undefined))
    throw new NotAttested(`its certificate names commit ${commit}, its statement ${other?.commit ?? named[0]?.commit}`);
}
