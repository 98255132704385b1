import type pg from 'pg';
import { LockError } from './lock-error.ts';

const STATEMENT_TIMEOUT_MS = 8_000;
const LOCK_TIMEOUT_MS = 5_000;

// set_config returns what holds from now on. Not in the start-up packet: poolers refuse settings that they do not know.
const SETTLE = `SELECT
  pg_is_in_recovery() AS "isStandby",
  current_setting('transaction_read_only') AS "readOnly",
  current_setting('fsync') AS "fsync",
  set_config('synchronous_commit', 'on', false) AS "synchronousCommit",
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('statement_timeout', '${STATEMENT_TIMEOUT_MS}', false),
  set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', false)`;

/** Sets what a swap relies on, for each new connection: the server behind an address may be another one than before. Throws LockError. */
export async function settleSession(client: pg.ClientBase, address: string): Promise<void> {
  const { rows } = await client.query<Record<string, unknown>>(SETTLE);
  const refusal = refusalOf(rows[0] ?? {});
  if (refusal !== undefined) throw new LockError(refusal.code, `ledger lock ${address}: ${refusal.why}`);
}

/** Why no ledger may rely on such a server. */
function refusalOf({
  isStandby,
  readOnly,
  fsync,
  synchronousCommit,
}: Readonly<Record<string, unknown>>): { readonly code: 'read-only' | 'not-durable'; readonly why: string } | undefined {
  if (isStandby !== false)
    return {
      code: 'read-only',
      why: 'this is a standby, which may be behind and takes no writes; name the primary (with several hosts: a name that follows it)',
    };
  if (readOnly !== 'off') return { code: 'read-only', why: 'transactions are read-only here; unset default_transaction_read_only for this user and database' };
  if (fsync !== 'on')
    return { code: 'not-durable', why: 'fsync is off, so a head that was swapped in may be lost with the power; set fsync = on and restart the server' };
  if (synchronousCommit !== 'on')
    return { code: 'not-durable', why: 'synchronous_commit can not be set to on; connect to the server itself, not through what pools its connections' };
  return undefined;
}
