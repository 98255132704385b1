import type { AttestationOutcome, AttestationVerifier } from '@granary/contract/ports';
import type { Digests } from '@granary/core/model';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial, Verifier } from '@sigstore/verify';
import { checkAttestation } from './check-attestation.ts';

const MAX_BUNDLES = 32;
/** Each kind of evidence once: what Sigstore's own clients ask for. */
const THRESHOLDS = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 };

/** By a trusted root in the JSON form of its protobuf message (`trusted_root.json`); undefined for what isn't one, or has neither authorities nor logs. */
export function openSigstoreAttestations(trustedRoot: Uint8Array): AttestationVerifier | undefined {
  const verifier = openVerifier(trustedRoot);
  return verifier === undefined ? undefined : { verify: (bundles, digests) => verifyAll(verifier, bundles, digests) };
}

function openVerifier(bytes: Uint8Array): Verifier | undefined {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    const parts = [root.certificateAuthorities, root.tlogs, root.ctlogs];
    return parts.some(({ length }) => length === 0) ? undefined : new Verifier(toTrustMaterial(root), THRESHOLDS);
  } catch {
    // A file that somebody configured: the libraries throw whatever comes of reading it.
    return undefined;
  }
}

function verifyAll(verifier: Verifier, bundles: readonly unknown[], digests: Digests): AttestationOutcome {
  if (bundles.length > MAX_BUNDLES) return { ok: false, why: `${bundles.length} bundles, more than ${MAX_BUNDLES}` };
  const outcomes = bundles.map((bundle) => checkAttestation(verifier, bundle, digests));
  const sources = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.source] : []));
  const [first] = sources;
  if (first === undefined) return outcomes[0] ?? { ok: false, why: 'no bundle that a certificate goes with' };
  const other = sources.find(({ repository, commit }) => repository !== first.repository || commit !== first.commit);
  if (other !== undefined) return { ok: false, why: `bundles that hold name different commits: ${first.commit} and ${other.commit}` };
  return { ok: true, source: first };
}
