import type { BlobStore } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';
import { LRUCache } from 'lru-cache';

/** The same blobs, whose last reads are kept in memory for a while: an index page reads its document to choose from it, and again to render it. */
export function rememberReads(blobs: BlobStore, maxBytes: number): BlobStore {
  const reads = new LRUCache<Sha256, Uint8Array>({ maxSize: maxBytes, sizeCalculation: (bytes) => bytes.length + 256 });
  return {
    ...blobs,
    async read(digest, limit) {
      const known = reads.get(digest);
      if (known !== undefined && known.length <= limit) return known;
      const bytes = await blobs.read(digest, limit);
      if (bytes !== undefined) reads.set(digest, bytes);
      return bytes;
    },
  };
}
