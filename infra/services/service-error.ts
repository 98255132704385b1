/** A server that tests or a trial deployment lean on isn't there, or ended; the message says what to do. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: 'missing' | 'ended';
  constructor(code: 'missing' | 'ended', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
