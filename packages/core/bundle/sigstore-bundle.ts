import { BUNDLE_V03_MEDIA_TYPE } from '@sigstore/bundle';
import type { Json } from '../model/index.ts';
import type { VerifierKey } from '../tlog/index.ts';
import { base64, type Envelope, envelopeJson } from './envelope.ts';
import { LEAF_KIND } from './leaf.ts';
import { logId } from './log-key.ts';

/** That a leaf is in a ledger, as the ledger's tiles and its checkpoint show it. */
export interface Inclusion {
  readonly log: VerifierKey;
  readonly index: number;
  readonly treeSize: number;
  readonly root: Uint8Array;
  /** RFC 6962 2.1.1, from the leaf's sibling upwards. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note over `treeSize` and `root`. */
  readonly checkpoint: string;
  readonly leaf: Uint8Array;
}

/**
 * A Sigstore bundle v0.3, in the JSON form of its protobuf messages (64-bit integers are strings, bytes are Base64).
 * Written out by hand because the generated code leaves zeros out, and sigstore-python demands `logIndex` even where it is 0.
 * No `integratedTime`, no `inclusionPromise`: the ledger vouches for order, not for time.
 */
export function sigstoreBundle(envelope: Envelope, inclusion: Inclusion): { readonly [name: string]: Json } {
  const { log, index, treeSize, root, hashes, checkpoint, leaf } = inclusion;
  return {
    mediaType: BUNDLE_V03_MEDIA_TYPE,
    verificationMaterial: {
      publicKey: { hint: envelope.keyId },
      tlogEntries: [
        {
          logIndex: String(index),
          logId: { keyId: base64(logId(log)) },
          kindVersion: LEAF_KIND,
          inclusionProof: {
            logIndex: String(index),
            rootHash: base64(root),
            treeSize: String(treeSize),
            hashes: hashes.map(base64),
            checkpoint: { envelope: checkpoint },
          },
          canonicalizedBody: base64(leaf),
        },
      ],
    },
    dsseEnvelope: envelopeJson(envelope),
  };
}
