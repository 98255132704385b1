/**
 * Why one request came to nothing: `absent` (no such key or upload), `precondition` (an If-Match or If-None-Match that did not hold),
 * `denied` (keys or rights), `unsupported`, `full`, `refused` (anything else that asking again does not change). `transient` may pass,
 * and leaves open whether the request was carried out.
 */
export type FaultKind = 'absent' | 'precondition' | 'transient' | 'denied' | 'unsupported' | 'full' | 'refused';

/** Inside this package only: callers are told by StoreError. */
export class S3Fault extends Error {
  override readonly name = 'S3Fault';
  readonly kind: FaultKind;
  /** The service's own code, `SlowDown`. */
  readonly code: string | undefined;
  constructor(kind: FaultKind, message: string, options: ErrorOptions & { readonly code?: string | undefined } = {}) {
    super(message, options);
    this.kind = kind;
    this.code = options.code;
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; the last ones are Ceph's, MinIO's and versitygw's.
const KINDS: Readonly<Record<string, FaultKind>> = {
  NoSuchKey: 'absent',
  NoSuchUpload: 'absent',
  PreconditionFailed: 'precondition',
  ConditionalRequestConflict: 'transient',
  OperationAborted: 'transient',
  RequestTimeout: 'transient',
  IncompleteBody: 'transient',
  BadDigest: 'transient',
  XAmzContentSHA256Mismatch: 'transient',
  NotImplemented: 'unsupported',
  QuotaExceeded: 'full',
  NoSpaceLeftOnDevice: 'full',
  XMinioStorageFull: 'full',
};

/** What an answer that isn't a success says. `body` is its beginning. */
export function faultOfAnswer(status: number, body: string): S3Fault {
  const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(body)?.[1];
  const said = /<Message>([^<]{1,300})/.exec(body)?.[1];
  return new S3Fault(kindOf(status, code), [`HTTP ${status}`, code, said].filter((part) => part !== undefined).join(' '), { code });
}

/** What was thrown on the way is a fault of the connection or an answer that nobody can understand: both may pass. */
export function faultOf(error: unknown): S3Fault {
  if (error instanceof S3Fault) return error;
  return new S3Fault('transient', error instanceof Error ? describe(error) : String(error), { cause: error });
}

function kindOf(status: number, code: string | undefined): FaultKind {
  const known = code === undefined ? undefined : KINDS[code];
  if (known !== undefined) return known;
  if (status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 507)) return 'transient';
  switch (status) {
    case 404:
      // A missing bucket has a code of its own; an answer to HEAD has none, and then it's the key.
      return code === undefined ? 'absent' : 'refused';
    case 412:
      return 'precondition';
    case 401:
    case 403:
      return 'denied';
    case 501:
      return 'unsupported';
    case 507:
      return 'full';
    default:
      return 'refused';
  }
}

function describe(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return error.message === '' || error.message === code ? (code ?? error.name) : error.message;
}
