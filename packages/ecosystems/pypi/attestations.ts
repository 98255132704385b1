import { type AttestationRules, EcosystemError } from '@granary/contract/ecosystem';
import { isJsonDeeperThan } from '@granary/core/model';
import { z } from 'zod';

const MAX_DEPTH = 64;
const MAX_ATTESTATIONS = 32;
const Attestation = z.object({
  version: z.literal(1),
  verification_material: z.object({ certificate: z.string(), transparency_entries: z.array(z.unknown()) }),
  envelope: z.object({ statement: z.string(), signature: z.string() }),
});
/** Publishers that came later may attest in forms of their own. */
const Provenance = z.object({
  version: z.literal(1),
  attestation_bundles: z.array(z.object({ attestations: z.array(z.unknown()).max(MAX_ATTESTATIONS) })).max(MAX_ATTESTATIONS),
});

/** Provenance objects of the integrity API (PEP 740), each attestation as the Sigstore bundle that it was made from. */
export const pypiAttestations: AttestationRules = {
  companion: 'provenance',
  check: 'pep740-provenance',
  bundlesOf(bytes) {
    const provenance = Provenance.safeParse(jsonOf(bytes));
    if (!provenance.success) throw new EcosystemError('malformed', `provenance: ${z.prettifyError(provenance.error)}`);
    const attestations = provenance.data.attestation_bundles.flatMap((bundle) => bundle.attestations);
    if (attestations.length > MAX_ATTESTATIONS) throw new EcosystemError('malformed', `provenance: more than ${MAX_ATTESTATIONS} attestations`);
    return attestations.flatMap((attestation) => {
      const read = Attestation.safeParse(attestation).data;
      return read === undefined ? [] : [bundleOf(read)];
    });
  },
};

function bundleOf({ verification_material: material, envelope }: z.output<typeof Attestation>): unknown {
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { certificate: { rawBytes: material.certificate }, tlogEntries: material.transparency_entries },
    dsseEnvelope: { payload: envelope.statement, payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: envelope.signature, keyid: '' }] },
  };
}

function jsonOf(bytes: Uint8Array): unknown {
  if (isJsonDeeperThan(bytes, MAX_DEPTH)) throw new EcosystemError('malformed', `provenance: nested deeper than ${MAX_DEPTH}`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new EcosystemError('malformed', 'provenance: not JSON', { cause });
  }
}
