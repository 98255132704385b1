import type { Sha256 } from '@granary/core/model';

/** What can be quarantined is never cached as immutable. */
export const ARTIFACT_CACHE = 'public, max-age=60';

export interface FileHeaders {
  readonly mediaType: string;
  /** Of the body that goes out; undefined while a file is still coming in. */
  readonly sizeBytes: number | undefined;
  /** Undefined where upstream states another digest, until the file is whole. */
  readonly sha256: Sha256 | undefined;
}

/** The headers of an artifact's bytes, wherever they come from. */
export function fileHeaders({ mediaType, sizeBytes, sha256 }: FileHeaders): readonly string[] {
  return [
    'content-type',
    mediaType,
    ...(sizeBytes === undefined ? [] : ['content-length', String(sizeBytes)]),
    ...(sha256 === undefined ? [] : ['etag', `"${sha256}"`]),
    'accept-ranges',
    'bytes',
    'cache-control',
    ARTIFACT_CACHE,
    'x-content-type-options',
    'nosniff',
  ];
}
