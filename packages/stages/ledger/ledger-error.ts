export type LedgerCode =
  /** Another sequencer moved the head: only one may run. */
  | 'lost-lock'
  /** What lock, checkpoint, staging and tiles say does not fit together. */
  | 'inconsistent'
  /** The catalog holds more than the ledger, or something else. */
  | 'wrong-catalog'
  /** Checkpoint, tile or leaf does not bear out what was signed. */
  | 'unverified'
  /** A newer checkpoint does not continue an older one. */
  | 'forked'
  /** What the caller wants written can't be: a fact, a key, an origin. */
  | 'bad-request';

export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerCode;
  constructor(code: LedgerCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
