import pg from 'pg';
import { LockError } from './lock-error.ts';
import { serverAddress } from './server-address.ts';
import { toLockError } from './server-answers.ts';

/** One line of `granary doctor`. */
export interface PostgresFinding {
  readonly state: 'ok' | 'weak' | 'missing';
  readonly what: string;
  readonly detail: string;
}

const TIMEOUT_MS = 5_000;
const ASK = `SELECT
  current_setting('server_version') AS "version",
  current_setting('fsync') AS "fsync",
  set_config('synchronous_commit', 'on', false) AS "synchronousCommit",
  current_setting('synchronous_standby_names') AS "standbyNames",
  current_setting('transaction_read_only') AS "readOnly",
  pg_is_in_recovery() AS "isStandby",
  (SELECT count(*)::int FROM pg_stat_replication) AS "standbys",
  to_regclass('granary.ledger_heads') IS NOT NULL AS "hasTable",
  has_database_privilege(current_database(), 'CREATE') AS "mayCreate"`;

type Answer = Readonly<Record<string, unknown>>;

/** What a server would do as the lock of a ledger: is it there, does it keep what it acknowledges, does it take writes. Changes nothing. */
export async function probePostgres(url: string): Promise<readonly PostgresFinding[]> {
  try {
    const address = serverAddress(url);
    const answer = await ask(url, address);
    return [
      { state: 'ok', what: 'lock: PostgreSQL', detail: `${String(answer['version'])} at ${address}` },
      writesOf(answer),
      fsyncOf(answer),
      commitOf(answer),
      standbysOf(answer),
      tableOf(answer),
    ];
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    return [{ state: 'missing', what: 'lock: PostgreSQL', detail: error.message }];
  }
}

async function ask(url: string, address: string): Promise<Answer> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'granary doctor',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  // An end that comes while nothing is asked is told to nobody.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(ASK);
    return rows[0] ?? {};
  } catch (error) {
    throw toLockError(address, 'ask', error);
  } finally {
    await client.end();
  }
}

function writesOf({ isStandby, readOnly }: Answer): PostgresFinding {
  const what = 'lock: takes writes';
  if (isStandby !== false) return { state: 'missing', what, detail: 'this is a standby; name the primary' };
  if (readOnly !== 'off') return { state: 'missing', what, detail: 'transactions are read-only; unset default_transaction_read_only for this user' };
  return { state: 'ok', what, detail: 'the primary' };
}

function fsyncOf({ fsync }: Answer): PostgresFinding {
  const what = 'lock: fsync';
  if (fsync === 'on') return { state: 'ok', what, detail: 'on' };
  return { state: 'missing', what, detail: `${String(fsync)}: a head that was swapped in may be lost with the power; set fsync = on and restart the server` };
}

function commitOf({ synchronousCommit }: Answer): PostgresFinding {
  const what = 'lock: synchronous_commit';
  if (synchronousCommit === 'on') return { state: 'ok', what, detail: 'can be set to on' };
  return { state: 'missing', what, detail: 'can not be set to on; connect to the server itself, not through what pools its connections' };
}

/** With standbys that nobody waits for, a fail-over may forget a head that was acknowledged, and the ledger would fork. */
function standbysOf({ standbys, standbyNames }: Answer): PostgresFinding {
  const what = 'lock: standbys';
  if (standbys === 0 || standbyNames !== '') return { state: 'ok', what, detail: standbyNames === '' ? 'none' : `commits wait for ${String(standbyNames)}` };
  const detail = `${String(standbys)}, and no commit waits for them: set synchronous_standby_names before one of them may take over`;
  return { state: 'weak', what, detail };
}

function tableOf({ hasTable, mayCreate }: Answer): PostgresFinding {
  const what = 'lock: table';
  if (hasTable === true) return { state: 'ok', what, detail: 'granary.ledger_heads' };
  if (mayCreate === true) return { state: 'ok', what, detail: 'granary.ledger_heads is made at the first start' };
  return { state: 'missing', what, detail: 'this user may not make the schema granary; GRANT CREATE ON DATABASE, or make granary.ledger_heads for it' };
}
