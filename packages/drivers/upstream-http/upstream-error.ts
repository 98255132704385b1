import { type UpstreamCode, UpstreamError } from '@granary/contract/ports';

export interface ErrorContext {
  readonly url: string;
  readonly phase: 'headers' | 'body';
  readonly signal: AbortSignal | undefined;
}

/** What went wrong underneath, in the closed set of codes. The caller's own abort reason is passed on as it is. */
export function upstreamErrorOf(error: unknown, { url, phase, signal }: ErrorContext): unknown {
  if (signal?.aborted === true) return signal.reason;
  for (const cause of causes(error)) {
    if (cause instanceof UpstreamError)
      return cause.url === url
        ? cause
        : new UpstreamError(cause.code, url, cause.message, { cause: error, ...(cause.status === undefined ? {} : { status: cause.status }) });
  }
  const code = causes(error)
    .map(codeOf)
    .find((known) => known !== undefined);
  const upstreamCode = toUpstreamCode(code, phase);
  return new UpstreamError(upstreamCode, url, `get ${url}: ${explain(upstreamCode, error)}`, { cause: error });
}

/** Faults of a moment, worth a second try at once. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  if (error.code === 'unreachable') return !causes(error).some((cause) => isCertificateCode(codeOf(cause)));
  return error.code === 'truncated' || error.code === 'timeout';
}

function toUpstreamCode(code: string | undefined, phase: ErrorContext['phase']): UpstreamCode {
  if (code === undefined) return phase === 'body' ? 'truncated' : 'unreachable';
  if (code.endsWith('_TIMEOUT') || code === 'ETIMEDOUT' || code === 'TimeoutError') return 'timeout';
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') return 'malformed';
  return phase === 'body' ? 'truncated' : 'unreachable';
}

function explain(code: UpstreamCode, error: unknown): string {
  const detail = causes(error).at(-1);
  const text = detail instanceof Error ? detail.message : String(detail);
  return code === 'truncated' ? `the body ended early (${text})` : text;
}

function isCertificateCode(code: string | undefined): boolean {
  return code !== undefined && /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|ERR_SSL_)/.test(code);
}

/** The error and what it was caused by, outermost first; several connection attempts count by their first. */
function causes(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let next = error; next !== undefined && next !== null && chain.length < 8; next = causeOf(next)) chain.push(next);
  return chain;
}

function causeOf(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // That a wait was given up says nothing: why, is its cause.
  if ('code' in error && typeof error.code === 'string') return error.code === 'ABORT_ERR' ? undefined : error.code;
  if (error.name === 'HTTPParserError') return 'HPE_INVALID';
  return error.name === 'TimeoutError' ? error.name : undefined;
}
