export type KeyCode = 'wrong-mode' | 'unreadable' | 'unwritable' | 'corrupt' | 'missing' | 'bad-origin';

/** Keys can't be used as they lie there; the message says which file, and what to do. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  readonly code: KeyCode;
  constructor(code: KeyCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
