export type DebCode = 'malformed' | 'unsigned' | 'expired' | 'wrong-archive' | 'not-listed' | 'not-found' | 'unresolvable';

/** An archive that can't be trusted or read, or lacks what was asked for. */
export class DebError extends Error {
  override readonly name = 'DebError';
  readonly code: DebCode;
  constructor(code: DebCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
