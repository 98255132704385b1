/** Each reason for a refusal has an exit code of its own; 0 is success, 1 a fault of ours, 2 wrong usage. They never change their meaning. */
export const VERIFY_EXIT_CODES = {
  'policy-failed': 3,
  'no-statement': 10,
  'file-altered': 11,
  'other-file': 12,
  'wrong-key': 13,
  'key-retired': 14,
  'envelope-altered': 15,
  'proof-altered': 16,
  'checkpoint-altered': 17,
  'ledger-altered': 18,
  'ledger-unknown': 19,
  'bundle-malformed': 20,
  'threshold-missed': 21,
  'bad-public-key': 22,
  'mirror-unreachable': 23,
  'file-unreadable': 24,
} as const;
export type VerifyCode = keyof typeof VERIFY_EXIT_CODES;

/** A refusal: nothing can be claimed of the file. The message says what was found, and what to do where there is something to do. */
export class VerifyError extends Error {
  override readonly name = 'VerifyError';
  readonly code: VerifyCode;
  constructor(code: VerifyCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): number {
    return VERIFY_EXIT_CODES[this.code];
  }
}
