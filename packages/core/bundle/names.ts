/**
 * The names under which statements of ours can be told apart. They lie in `.invalid` (RFC 6761 6.4), as default ledger origins do:
 * valid URIs that nobody can register, so no later owner of a domain can speak in our name (docs/decisions, statement names).
 */
export const BUILD_TYPE_WHEEL_FROM_SDIST = 'https://granary.invalid/build/wheel-from-sdist/v1';
export const BUILD_TYPE_FROM_COMMIT = 'https://granary.invalid/build/from-commit/v1';
export const EQUIVALENCE_TYPE = 'https://granary.invalid/attestation/equivalence/v1';
export const LEDGER_KEY_TYPE = 'https://granary.invalid/attestation/ledger-key/v1';
/** SLSA's own. */
export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1';
export const SUMMARY_TYPE = 'https://slsa.dev/verification_summary/v1';

/** A site is named by its public ledger. */
export function siteUri(origin: string): string {
  return `https://${origin}`;
}
