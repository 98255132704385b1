export type QueueCode = 'unreachable' | 'refused';

/** Redis doesn't answer, or answers that it won't. The message names the server, never its password. */
export class QueueError extends Error {
  override readonly name = 'QueueError';
  readonly code: QueueCode;
  constructor(code: QueueCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
