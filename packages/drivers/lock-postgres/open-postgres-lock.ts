import { setTimeout as sleep } from 'node:timers/promises';
import type { LockBackend } from '@granary/contract/ports';
import pg from 'pg';
import { ensureHeadsTable, LOAD, repeatedSwap, type SwapStatement, swapStatement } from './heads-table.ts';
import { LockError } from './lock-error.ts';
import { settleSession } from './safe-session.ts';
import { serverAddress } from './server-address.ts';
import { isConnectionFault, toLockError } from './server-answers.ts';

export interface PostgresLockOptions {
  /** `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, of the primary, and of the server itself or a pooler that pools sessions. */
  readonly url: string;
  /** What an operator may want to read: a connection that was lost, an answer that is asked for again. */
  readonly onNote?: (text: string) => void;
}
export interface PostgresLock extends LockBackend, AsyncDisposable {}

interface Server {
  readonly pool: pg.Pool;
  readonly address: string;
  readonly note: (text: string) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than the server's own limit for a statement, which answers; this one is for servers that are silent. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Pauses before the tries after the first. */
const PAUSES_MS = [100, 1_000, 3_000];

/** Connects, and makes schema and table when they are missing. Throws LockError: also for a server on which a head might be lost. */
export async function openPostgresLock({ url, onNote = () => undefined }: PostgresLockOptions): Promise<PostgresLock> {
  const address = serverAddress(url);
  const note = (text: string) => onNote(`ledger lock ${address}: ${text}`);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'granary',
    max: 2,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    async onConnect(client) {
      // A connection that ends while it is used tells its query, and then everybody; unheard, that would end the process.
      client.on('error', () => undefined);
      await settleSession(client, address);
    },
  });
  // Of a connection that nobody is using: the next call opens another.
  pool.on('error', (error) => note(`an idle connection ended: ${error.message}`));
  const server = { pool, address, note };
  try {
    await withRetries(server, 'open', (client) => ensureHeadsTable(client));
  } catch (error) {
    await pool.end();
    throw error;
  }
  return lockOn(server);
}

function lockOn(server: Server): PostgresLock {
  return {
    async load(origin) {
      const { rows } = await withRetries(server, `load ${origin}`, (client) => client.query<Record<string, unknown>>(LOAD, [origin]));
      const head = rows[0]?.['head'];
      return head instanceof Uint8Array ? Uint8Array.from(head) : undefined;
    },
    async swap(origin, expected, next) {
      let sent = false;
      return await withRetries(server, `swap ${origin}`, async (client) => {
        const isRepeated = sent;
        sent = true;
        const moved = await change(client, isRepeated ? repeatedSwap(origin, expected, next) : swapStatement(origin, expected, next));
        if (!moved && isRepeated)
          throw new LockError(
            'lost-answer',
            `ledger lock ${server.address}: swap ${origin}: the answer was lost, and the head has moved on; load it to know what holds`,
          );
        return moved;
      });
    },
    async [Symbol.asyncDispose]() {
      if (!server.pool.ending) await server.pool.end();
    },
  };
}

/** Whether a row was changed, durably. */
async function change(client: pg.ClientBase, { text, values }: SwapStatement): Promise<boolean> {
  const warnings: string[] = [];
  const listen = ({ severity, message }: { readonly severity?: string | undefined; readonly message?: string | undefined }) => {
    if (severity === 'WARNING') warnings.push(message ?? '');
  };
  client.on('notice', listen);
  try {
    const { rowCount } = await client.query(text, values.map(asParameter));
    // A commit whose wait for a standby was cancelled is answered as a success, with a warning before it (PostgreSQL's syncrep.c): it holds on
    // the primary alone, so it counts as not answered.
    if (warnings.length > 0) throw new Error(warnings.join('; '));
    return rowCount === 1;
  } finally {
    client.off('notice', listen);
  }
}

/** Runs one step on a connection; again on another when its connection ended or stayed silent. Throws LockError. */
async function withRetries<T>(server: Server, what: string, step: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await onConnection(server.pool, step);
    } catch (error) {
      const pauseMs = PAUSES_MS[failures];
      if (pauseMs === undefined || !isConnectionFault(error)) throw toLockError(server.address, what, error);
      server.note(`${what}: ${error instanceof Error ? error.message : String(error)}; trying again`);
      await sleep(pauseMs);
    }
  }
}

async function onConnection<T>(pool: pg.Pool, step: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    const result = await step(client);
    broken = false;
    return result;
  } catch (error) {
    broken = isConnectionFault(error);
    throw error;
  } finally {
    client.release(broken);
  }
}

/** pg writes a Buffer as bytea, and other arrays of bytes as text. */
function asParameter(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
