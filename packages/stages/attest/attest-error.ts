export type AttestCode = 'envelope-corrupt' | 'unexpected-bundle';

/** A statement can't be signed or taken over; the message says which object is at fault. */
export class AttestError extends Error {
  override readonly name = 'AttestError';
  readonly code: AttestCode;
  constructor(code: AttestCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
