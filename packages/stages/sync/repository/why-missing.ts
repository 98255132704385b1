import { StoreError, UpstreamError } from '@granary/contract/ports';

/** Why a large file isn't held. */
export type WhyMissing =
  /** Upstream has none of that name. */
  | 'absent'
  /** Upstream answers nothing where large files are asked for. */
  | 'no-server'
  /** Upstream gives it to nobody, or names an address that isn't asked. */
  | 'refused'
  /** What upstream answers can't be read. */
  | 'unreadable'
  /** What came, or the size that its pointer has, isn't that of its digest. */
  | 'wrong-bytes'
  | 'unreachable'
  /** Enough went wrong before, or it took too long: the next look goes on. */
  | 'not-asked'
  /** Larger than one may be here. */
  | 'too-large'
  /** More than all of a repository may come to here. */
  | 'no-room';

/** What went wrong while one was asked for; undefined for what is the fault of this machine. */
export function whyMissing(error: unknown): WhyMissing | undefined {
  if (error instanceof StoreError) return error.code === 'digest-mismatch' || error.code === 'too-large' ? 'wrong-bytes' : undefined;
  return error instanceof UpstreamError ? ofUpstream(error) : undefined;
}

function ofUpstream({ code, status = 0 }: UpstreamError): WhyMissing {
  switch (code) {
    case 'unreachable':
    case 'truncated':
    case 'timeout':
    case 'busy':
      return 'unreachable';
    case 'bad-status':
      return status >= 500 ? 'unreachable' : 'refused';
    case 'refused-address':
    case 'too-many-redirects':
      return 'refused';
    case 'too-large':
      return 'wrong-bytes';
    case 'malformed':
      return 'unreadable';
  }
}
