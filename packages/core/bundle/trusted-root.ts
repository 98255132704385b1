import type { Json } from '../model/index.ts';
import type { VerifierKey } from '../tlog/index.ts';
import { base64 } from './envelope.ts';
import { ledgerKeyDer, logId } from './log-key.ts';

/** No beginning is known: without a trusted time the key's validity is a range of ledger indexes. */
const ALWAYS = { start: '1970-01-01T00:00:00Z' };

/**
 * What a stock Sigstore verifier needs to know of a site (`cosign --trusted-root`): its ledgers, as transparency logs.
 * cosign finds the checkpoint's signature only if the host of `baseUrl` is the ledger's origin.
 */
export function trustedRoot(logs: readonly VerifierKey[]): { readonly [name: string]: Json } {
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: logs.map((log) => ({
      baseUrl: `https://${log.name}`,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: base64(ledgerKeyDer(log)), keyDetails: 'PKIX_ED25519', validFor: ALWAYS },
      logId: { keyId: base64(logId(log)) },
    })),
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
  };
}
