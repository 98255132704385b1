import { parseSha256, type Sha256 } from '../model/index.ts';

/** A large file of a repository, by the digest and the size that its pointer has. */
export interface LargeFile {
  readonly oid: Sha256;
  readonly sizeBytes: number;
}

/** A larger blob is no pointer; a smaller one has no room for what each has. */
export const MAX_POINTER_BYTES = 1024;
export const MIN_POINTER_BYTES = 120;
/** The specification, The Pointer: keys in their order, one space, one line feed. The second name is that of files from before version 1. */
const POINTER =
  /^version https:\/\/(?:git-lfs|hawser)\.github\.com\/spec\/v1\n(?:ext-\d-[a-z0-9.-]{1,200} [^\r\n]{1,300}\n){0,9}oid sha256:([0-9a-f]{64})\nsize ([1-9]\d{0,15})\n$/;
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The large file that a blob stands for; undefined for any other blob. An empty file needs no pointer, and one that names it is none. */
export function parsePointer(blob: Uint8Array): LargeFile | undefined {
  if (blob.length < MIN_POINTER_BYTES || blob.length > MAX_POINTER_BYTES || blob[0] !== 0x76) return undefined;
  const [, oid, size] = POINTER.exec(textOf(blob) ?? '') ?? [];
  const digest = oid === undefined ? undefined : parseSha256(oid);
  const sizeBytes = Number(size);
  return digest === undefined || !Number.isSafeInteger(sizeBytes) ? undefined : { oid: digest, sizeBytes };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return undefined;
  }
}
