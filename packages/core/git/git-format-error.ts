/**
 * `malformed`: not what the protocol or the document's form has. `truncated`: it ends before its end. `too-large`, `too-many`: a limit is
 * crossed. `duplicate`: one name twice. `remote-error`: the server says that it can't or won't; `remoteText` has its words.
 * `unsupported`: well-formed, and not for us.
 */
export type GitFormatCode = 'malformed' | 'truncated' | 'too-large' | 'too-many' | 'duplicate' | 'remote-error' | 'unsupported';

/** What a git server sent, or a snapshot of refs holds, is not read any further. */
export class GitFormatError extends Error {
  override readonly name = 'GitFormatError';
  readonly code: GitFormatCode;
  /** What the server says for people: one line, without control characters. */
  readonly remoteText: string | undefined;
  constructor(code: GitFormatCode, message: string, options?: ErrorOptions & { readonly remoteText?: string }) {
    super(message, options);
    this.code = code;
    this.remoteText = options?.remoteText;
  }
}
