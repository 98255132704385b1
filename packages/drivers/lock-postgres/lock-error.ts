export type LockCode = 'busy' | 'read-only' | 'disk-full' | 'not-durable' | 'unreachable' | 'lost-answer' | 'unusable';

/** The head of a ledger could not be read or moved; whether a move that threw took place is not known until it is loaded again. */
export class LockError extends Error {
  override readonly name = 'LockError';
  readonly code: LockCode;
  constructor(code: LockCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
