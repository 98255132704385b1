import { z } from 'zod';

/** `GET /api/v1/artifacts/<sha256>/bundles`: every statement about the file, oldest first, each as a Sigstore bundle v0.3. */
export const BundlesDocument = z.object({ bundles: z.array(z.record(z.string(), z.json())).max(1000) });
export type BundlesDocument = z.output<typeof BundlesDocument>;

/**
 * `GET /api/v1/keys`: what a verifier needs to know of a site. `publicKey` is the text of `granary.pub`; `trustedRoot` is for stock
 * Sigstore verifiers; `endorsements` are the DSSE envelopes in which the statement key vouches for the ledgers' keys.
 */
export const KeysDocument = z.object({
  publicKey: z.string(),
  trustedRoot: z.record(z.string(), z.json()),
  endorsements: z.array(z.record(z.string(), z.json())).max(100),
});
export type KeysDocument = z.output<typeof KeysDocument>;
