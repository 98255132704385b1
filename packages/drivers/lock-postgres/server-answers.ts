import pg from 'pg';
import { LockError } from './lock-error.ts';

/** True when the connection ended or was silent, so that nothing was answered: whatever was sent may have been done. */
export function isConnectionFault(error: unknown): boolean {
  if (error instanceof LockError) return false;
  // https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, operator intervention but for a cancelled query
  // (57014), and more connections than the server takes. What isn't from the server is from the socket or from our own clock.
  return !(error instanceof pg.DatabaseError) || /^(08|57P|53300)/.test(error.code ?? '');
}

/** Says what was done to what, and what to do. */
export function toLockError(address: string, what: string, cause: unknown): LockError {
  if (cause instanceof LockError) return cause;
  const at = `ledger lock ${address}: ${what}`;
  const said = cause instanceof Error ? cause.message || cause.name : String(cause);
  if (isConnectionFault(cause)) return new LockError('unreachable', `${at}: ${said}; start PostgreSQL, or mend the way to it, then run again`, { cause });
  switch (cause instanceof pg.DatabaseError ? cause.code : undefined) {
    case '25006':
      return new LockError('read-only', `${at}: the server takes no writes; name the primary, not a standby`, { cause });
    case '53100':
      return new LockError('disk-full', `${at}: the server's disk is full; free some space there and run again`, { cause });
    case '55P03':
    case '57014':
      return new LockError('busy', `${at}: another process held it for too long; stop that process, or wait for it`, { cause });
    default:
      return new LockError('unusable', `${at}: ${said}`, { cause });
  }
}
