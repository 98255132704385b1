import type { Digests, Purl } from '@granary/core/model';

/** What the service that built a file signed of its source. */
export interface AttestedSource {
  readonly repository: Purl;
  /** Id of a git commit, in lower-case hexadecimal. */
  readonly commit: string;
  /** The ref that was built, by its full name. */
  readonly ref?: string;
  /** Address of what told the service how to build. */
  readonly workflow?: string;
  /** Who vouched for the signer, and the name that it signed by: addresses, of at most 1024 characters each. */
  readonly issuer: string;
  readonly identity: string;
}
export type AttestationOutcome = { readonly ok: true; readonly source: AttestedSource } | { readonly ok: false; readonly why: string };

/** Checks Sigstore bundles by the roots of trust that it was given. */
export interface AttestationVerifier {
  /**
   * What the bundles (JSON from anywhere) say of a file with these digests. Those that don't hold count for nothing as long as another one does; those
   * that hold must agree. Takes no network and no clock, and throws nothing: `why` has at most 300 characters.
   */
  verify(bundles: readonly unknown[], digests: Digests): AttestationOutcome;
}
