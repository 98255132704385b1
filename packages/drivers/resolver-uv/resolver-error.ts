export type ResolverCode = 'unavailable' | 'killed' | 'disk-full';
/** The resolver itself could not do its work; that requirements have no solution is a result, not an error. */
export class ResolverError extends Error {
  override readonly name = 'ResolverError';
  readonly code: ResolverCode;
  constructor(code: ResolverCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
