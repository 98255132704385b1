import { createHash, type Hash } from 'node:crypto';
import { toSha256 } from '@granary/core/model';
import { type BlobExpectation, type StoredBlob, StoreError } from '../ports/index.ts';

const ALGORITHMS = ['sha256', 'sha512', 'sha384', 'sha1', 'md5'] as const;

/** Size and digests of bytes as they pass, against what was expected of them. */
export interface BlobMeasure {
  /** Throws StoreError `too-large` or `digest-mismatch` as soon as it is certain. */
  update(bytes: Uint8Array): void;
  /** Throws StoreError `digest-mismatch` unless every expectation holds. */
  confirm(): StoredBlob;
}

export function measureBlob({ digests = {}, sizeBytes: expectedBytes, maxBytes }: BlobExpectation): BlobMeasure {
  const hashes = new Map<(typeof ALGORITHMS)[number], Hash>();
  for (const algorithm of ALGORITHMS) {
    if (algorithm === 'sha256' || digests[algorithm] !== undefined) hashes.set(algorithm, createHash(algorithm));
  }
  let sizeBytes = 0;

  return {
    update(bytes) {
      sizeBytes += bytes.length;
      if (sizeBytes > maxBytes) throw new StoreError('too-large', `put blob: more than ${maxBytes} bytes`);
      if (expectedBytes !== undefined && sizeBytes > expectedBytes)
        throw new StoreError('digest-mismatch', `put blob: more than the expected ${expectedBytes} bytes`);
      for (const hash of hashes.values()) hash.update(bytes);
    },
    confirm() {
      if (expectedBytes !== undefined && sizeBytes !== expectedBytes) {
        throw new StoreError('digest-mismatch', `put blob: ${sizeBytes} bytes, expected ${expectedBytes}`);
      }
      const found = new Map([...hashes].map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
      for (const [algorithm, digest] of found) {
        const expected = digests[algorithm];
        if (expected !== undefined && expected !== digest) throw new StoreError('digest-mismatch', `put blob: ${algorithm} is ${digest}, expected ${expected}`);
      }
      return { sha256: toSha256(found.get('sha256') ?? ''), sizeBytes };
    },
  };
}
