export type TlogCode =
  | 'tile-missing'
  | 'tile-malformed'
  | 'tile-mismatch'
  | 'bundle-malformed'
  | 'leaf-too-large'
  | 'out-of-range'
  | 'note-malformed'
  | 'checkpoint-malformed'
  | 'signature-missing'
  | 'signature-invalid';

/** What a log, a note or a proof claims does not hold, or can't be read. */
export class TlogError extends Error {
  override readonly name = 'TlogError';
  readonly code: TlogCode;
  constructor(code: TlogCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
