import type { ObjectKey } from '@granary/core/layout';
import type { ByteDigests, Sha256 } from '@granary/core/model';

/** Half-open byte range. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Write-once objects. All methods may run at the same time, from several processes. */
export interface ObjectStore {
  /** Resolves when the object is durable (file and folder synced). Same key and same bytes: succeeds. Other bytes: throws StoreError `key-taken`. Retries transient faults itself. */
  putOnce(key: ObjectKey, bytes: Uint8Array): Promise<void>;
  /** Resolves to undefined when the key was never written. Never returns a torn object. Throws StoreError `too-large` above `maxBytes`. */
  get(key: ObjectKey, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Keys below a prefix, sorted by code point. */
  list(prefix: string): AsyncIterable<ObjectKey>;
}

/** The few objects that may change or go: pending facts, notes of what came for clients, staging, the published checkpoint, derived data. The layout decides which; others throw StoreError `immutable`. */
export interface MutableObjects {
  /** Atomic: a reader sees the old bytes or the new. Durable when resolved. */
  replace(key: ObjectKey, bytes: Uint8Array): Promise<void>;
  /** Succeeds when the key does not exist. */
  remove(key: ObjectKey): Promise<void>;
}

export interface StoredBlob {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}
export interface BlobExpectation {
  /** Every digest given is checked before the blob can be seen under its name: StoreError `digest-mismatch`. */
  readonly digests?: ByteDigests;
  readonly sizeBytes?: number;
  /** StoreError `too-large` as soon as the stream passes it. */
  readonly maxBytes: number;
}

/** Content-addressed bytes, streamed: hashed while written, never held whole in memory. */
export interface BlobStore {
  /** Resolves when durable. The same bytes twice: succeeds, one blob. A failing source leaves nothing behind. */
  put(source: AsyncIterable<Uint8Array> | Uint8Array, expect: BlobExpectation): Promise<StoredBlob>;
  /** Resolves to undefined when absent. The caller must consume or destroy the stream. */
  open(digest: Sha256, range?: ByteRange): Promise<{ readonly sizeBytes: number; readonly stream: AsyncIterable<Uint8Array> } | undefined>;
  /** Whole, for small ones: StoreError `too-large` above `maxBytes`. */
  read(digest: Sha256, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Size in bytes; undefined when absent. */
  size(digest: Sha256): Promise<number | undefined>;
}

export interface Store {
  readonly objects: ObjectStore;
  readonly mutable: MutableObjects;
  readonly blobs: BlobStore;
}

export type StoreCode = 'key-taken' | 'digest-mismatch' | 'too-large' | 'immutable' | 'disk-full' | 'read-only' | 'in-use' | 'unreachable';
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreCode;
  constructor(code: StoreCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
