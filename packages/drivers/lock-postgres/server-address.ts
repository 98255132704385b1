import pg from 'pg';
import { LockError } from './lock-error.ts';

/** What may be shown of a connection URL: host, port and database, never user or password. Throws LockError. */
export function serverAddress(url: string): string {
  // The parser's own error would carry the URL, and with it the password.
  if (!/^postgres(ql)?:\/\//.test(url) || !isParsed(url))
    throw new LockError('unusable', 'ledger lock: the address of PostgreSQL was not understood; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE');
  const { host, port, database } = new pg.Client({ connectionString: url });
  return `postgresql://${host}:${port}/${database ?? ''}`;
}

function isParsed(url: string): boolean {
  try {
    return new pg.Client({ connectionString: url }).host !== '';
  } catch {
    return false;
  }
}
