import type pg from 'pg';

const EXISTS = `SELECT to_regclass('granary.ledger_heads') IS NOT NULL AS "exists"`;
// One simple query is one transaction. IF NOT EXISTS alone is no fence: two at once both look, then one fails on the name; so they queue for
// an advisory lock (its number is the word granary in ASCII).
const MAKE = `
  SELECT pg_advisory_xact_lock(x'6772616e617279'::bigint);
  CREATE SCHEMA IF NOT EXISTS granary;
  CREATE TABLE IF NOT EXISTS granary.ledger_heads (origin text PRIMARY KEY, head bytea NOT NULL)`;

export const LOAD = 'SELECT head FROM granary.ledger_heads WHERE origin = $1';

/** A statement that changes one row when the swap holds, else none. */
export interface SwapStatement {
  readonly text: string;
  readonly values: readonly (string | Uint8Array)[];
}

/** Makes the table unless it is there: a user without the right to make one may be given one that its administrator made. */
export async function ensureHeadsTable(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<Record<string, unknown>>(EXISTS);
  if (rows[0]?.['exists'] !== true) await client.query(MAKE);
}

/** Under READ COMMITTED a second UPDATE waits for the first, then looks at WHERE again with the row as it is then: one of them finds its head. */
export function swapStatement(origin: string, expected: Uint8Array | undefined, next: Uint8Array): SwapStatement {
  if (expected === undefined)
    return { text: 'INSERT INTO granary.ledger_heads (origin, head) VALUES ($1, $2) ON CONFLICT (origin) DO NOTHING', values: [origin, next] };
  return { text: 'UPDATE granary.ledger_heads SET head = $2 WHERE origin = $1 AND head = $3', values: [origin, next, expected] };
}

/**
 * The same swap after its answer was lost: holds also when `next` stands there already. It writes that row again, and so waits for a statement
 * that still runs, and for every standby that a commit has to wait for, which a look alone would not.
 */
export function repeatedSwap(origin: string, expected: Uint8Array | undefined, next: Uint8Array): SwapStatement {
  if (expected === undefined) {
    const same = 'ON CONFLICT (origin) DO UPDATE SET head = excluded.head WHERE ledger_heads.head = excluded.head';
    return { text: `INSERT INTO granary.ledger_heads (origin, head) VALUES ($1, $2) ${same}`, values: [origin, next] };
  }
  return { text: 'UPDATE granary.ledger_heads SET head = $2 WHERE origin = $1 AND (head = $3 OR head = $2)', values: [origin, next, expected] };
}
