export type CompareCode = 'upstream-unreadable' | 'rebuild-unreadable';

/** One side is no archive that can be read; `cause` is the ArchiveError that says why. */
export class CompareError extends Error {
  override readonly name = 'CompareError';
  readonly code: CompareCode;
  constructor(code: CompareCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
