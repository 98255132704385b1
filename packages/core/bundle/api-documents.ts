import { z } from 'zod';
import type { Json } from '../model/index.ts';

type JsonObject = { readonly [name: string]: Json };
const JsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** `GET /api/v1/artifacts/<sha256>/bundles`: every statement about the file, oldest first, each as a Sigstore bundle v0.3. */
export interface BundlesDocument {
  readonly bundles: readonly JsonObject[];
}
export const BundlesDocument: z.ZodType<BundlesDocument> = z.object({ bundles: z.array(JsonObject).max(1000) });

/** `GET /api/v1/keys`: what a verifier needs to know of a site. */
export interface KeysDocument {
  /** Text of `granary.pub`. */
  readonly publicKey: string;
  /** For stock Sigstore verifiers. */
  readonly trustedRoot: JsonObject;
  /** DSSE envelopes in which the statement key vouches for the ledgers' keys. */
  readonly endorsements: readonly JsonObject[];
}
export const KeysDocument: z.ZodType<KeysDocument> = z.object({
  publicKey: z.string(),
  trustedRoot: JsonObject,
  endorsements: z.array(JsonObject).max(100),
});
