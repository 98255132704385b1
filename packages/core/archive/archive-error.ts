export type ArchiveCode =
  | 'malformed'
  | 'truncated'
  | 'unsupported'
  | 'encrypted'
  | 'sparse'
  | 'archive-too-large'
  | 'too-many-entries'
  | 'total-too-large'
  | 'entry-too-large'
  | 'ratio-too-high'
  | 'path-too-deep'
  | 'path-too-long'
  | 'unsafe-path'
  | 'size-mismatch'
  | 'crc-mismatch'
  | 'headers-disagree'
  | 'overlap'
  | 'hidden-data';

/** An archive that is not read any further: what is wrong with it, and with which entry. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
  readonly code: ArchiveCode;
  readonly path: string | undefined;
  constructor(code: ArchiveCode, message: string, options?: ErrorOptions & { readonly path?: string }) {
    super(message, options);
    this.code = code;
    this.path = options?.path;
  }
}
