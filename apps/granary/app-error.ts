/** Why a command ended without doing its work. Each has an exit code of its own (sysexits.h where there is one). */
export type AppCode = 'usage' | 'not-found' | 'no-upstream' | 'no-data' | 'problems-found' | 'unavailable';

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: AppCode;
  constructor(code: AppCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
