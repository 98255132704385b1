import { JobError, RepositoryError, UpstreamError } from '@granary/contract/ports';
import { GitFormatError } from '@granary/core/git';

/** What broke on the way is asked for again at once; what a server says on purpose, and what came and isn't taken, only later. Other errors stay what they are. */
export function toJobError(what: string, cause: unknown): unknown {
  if (cause instanceof JobError) return new JobError(cause.retry, `${what}: ${cause.message}`, { cause });
  if (cause instanceof UpstreamError) return new JobError(isPassingFault(cause) ? 'at-once' : 'later', `${what}: ${cause.message}`, { cause });
  if (cause instanceof GitFormatError) {
    const isPassing = cause.code === 'truncated' || cause.code === 'remote-error';
    return new JobError(isPassing ? 'at-once' : 'later', `${what}: ${cause.message}`, { cause });
  }
  if (cause instanceof RepositoryError) return new JobError(cause.code === 'unavailable' ? 'at-once' : 'later', `${what}: ${cause.message}`, { cause });
  return cause;
}

function isPassingFault({ code, status = 0 }: UpstreamError): boolean {
  switch (code) {
    case 'unreachable':
    case 'truncated':
    case 'timeout':
      return true;
    case 'bad-status':
      return status >= 500;
    // It said when to come back, or that it has had enough.
    case 'busy':
    case 'refused-address':
    case 'too-many-redirects':
    case 'too-large':
    case 'malformed':
      return false;
  }
}
