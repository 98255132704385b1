import { generateKeyPairSync, sign } from 'node:crypto';
import {
  appendLeaves,
  EMPTY_EDGE,
  formatCheckpoint,
  formatNote,
  inclusionProof,
  tilePath,
  type VerifierKey,
  verifiedTiles,
  verifierKey,
} from '../../tlog/index.ts';
import type { Inclusion } from '../index.ts';

/** A ledger in memory, made of the real tiles and signed by a new key, for tests of what stands on it. */
export interface TestLog {
  readonly key: VerifierKey;
  readonly inclusion: (index: number) => Promise<Inclusion>;
}

export function logOf(origin: string, leaves: readonly Uint8Array[]): TestLog {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = verifierKey(origin, Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
  const { edge, root, tiles } = appendLeaves(EMPTY_EDGE, leaves);
  const bytes = new Map(tiles.map((appended) => [tilePath(appended.tile), appended.bytes]));
  const verified = verifiedTiles(async (tile) => bytes.get(tilePath(tile)), edge.size, root);
  const text = formatCheckpoint({ origin, size: edge.size, root, extensions: [] });
  const signature = new Uint8Array(sign(null, Buffer.from(text), privateKey));
  const checkpoint = Buffer.from(formatNote({ text, signatures: [{ name: key.name, keyId: key.keyId, signature }] })).toString();
  const inclusion = async (index: number) => {
    const leaf = leaves[index] ?? new Uint8Array();
    return { log: key, index, treeSize: edge.size, root, hashes: await inclusionProof(verified, index), checkpoint, leaf };
  };
  return { key, inclusion };
}
