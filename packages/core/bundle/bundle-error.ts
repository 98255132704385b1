export type BundleCode = 'bad-key' | 'bad-envelope' | 'bad-statement' | 'bad-leaf' | 'bad-trust-file';

/** What was read is not what it should be; the message says which part and what was expected. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly code: BundleCode;
  constructor(code: BundleCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
