import { type Sha256, sha256 } from '../model/index.ts';

/** Bytes as they lie in the archive, with what the archive says of them. Equal packings have equal contents. */
export interface Packing {
  readonly method: number;
  readonly crc32: number;
  readonly bytes: Uint8Array;
}

/** The bytes of one entry. */
export interface Content {
  readonly sizeBytes: number;
  /** Decompressed and checked against size and CRC at each call, not kept. Throws ArchiveError. */
  read(): Uint8Array;
  /** Of the decompressed bytes; worked out once. Throws as {@link read}. */
  sha256(): Sha256;
  /** Undefined when the container doesn't compress entry by entry. */
  readonly packing: Packing | undefined;
}

export function contentOf(bytes: Uint8Array): Content {
  return lazyContent(bytes.length, () => bytes, undefined);
}

export function lazyContent(sizeBytes: number, read: () => Uint8Array, packing: Packing | undefined): Content {
  let digest: Sha256 | undefined;
  return { sizeBytes, read, packing, sha256: () => (digest ??= sha256(read())) };
}

export const EMPTY_CONTENT: Content = contentOf(new Uint8Array(0));
