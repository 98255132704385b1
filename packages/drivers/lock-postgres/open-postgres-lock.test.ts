import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockBackendContract } from '@granary/contract/suites';
import { type PostgresServer, postgresMissing, startPostgres } from '@granary/services';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openPostgresLock, type PostgresLock } from './index.ts';
import { administer, emptyDatabase, withParts } from './test/own-server.ts';

const missing = postgresMissing();
let server: PostgresServer;

async function openUntilTestEnds(url: string): Promise<PostgresLock> {
  const lock = await openPostgresLock({ url });
  onTestFinished(() => lock[Symbol.asyncDispose]());
  return lock;
}

async function race(url: string, origin: string, processes: number, turns: number): Promise<number> {
  const racer = (number: number): ChildProcess =>
    spawn(process.execPath, [join(import.meta.dirname, 'test/racer.ts'), url, origin, String(number), String(turns)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const racers = Array.from({ length: processes }, (_, at) => racer(at));
  await Promise.all(racers.map(({ stdout }) => stdout && once(stdout, 'data')));
  const said = racers.map(async ({ stdout }) => (stdout ? String((await once(stdout, 'data'))[0]) : ''));
  for (const { stdin } of racers) stdin?.write('go\n');
  return (await Promise.all(said)).filter((line) => line === 'true\n').length;
}

describe.skipIf(missing !== undefined)(`the lock in PostgreSQL${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'granary-lock-'));
    server = await startPostgres({ folder });
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  lockBackendContract({
    async open() {
      const url = await emptyDatabase(server.url);
      return {
        lock: await openUntilTestEnds(url),
        reopen: () => openUntilTestEnds(url),
        race: (origin, processes, turns) => race(url, origin, processes, turns),
      };
    },
  });

  it('is made once when many open an empty database at once', async () => {
    const url = await emptyDatabase(server.url);

    const locks = await Promise.all(Array.from({ length: 8 }, () => openUntilTestEnds(url)));

    expect(await Promise.all(locks.map((lock, at) => lock.swap('log.example', undefined, Uint8Array.of(at))))).toContain(true);
  });

  it('serves a user who may not make a table, once there is one, and otherwise says what is refused', async () => {
    const url = await emptyDatabase(server.url);
    const asClerk = withParts(url, { user: 'clerk' });
    await administer(url, `CREATE ROLE clerk LOGIN PASSWORD '${new URL(url).password}'`);

    await expect(openPostgresLock({ url: asClerk })).rejects.toMatchObject({ code: 'unusable', message: expect.stringContaining('permission denied') });

    await openUntilTestEnds(url);
    await administer(url, 'GRANT USAGE ON SCHEMA granary TO clerk', 'GRANT SELECT, INSERT, UPDATE ON granary.ledger_heads TO clerk');
    const lock = await openUntilTestEnds(asClerk);

    expect(await lock.swap('log.example', undefined, Uint8Array.of(1))).toBe(true);
  });

  it('refuses a user whose transactions are read-only', async () => {
    const url = await emptyDatabase(server.url);
    await administer(url, `CREATE ROLE reader SUPERUSER LOGIN PASSWORD '${new URL(url).password}'`, 'ALTER ROLE reader SET default_transaction_read_only = on');

    await expect(openPostgresLock({ url: withParts(url, { user: 'reader' }) })).rejects.toMatchObject({ code: 'read-only' });
  });

  it('keeps its heads durable whatever the database is set to', async () => {
    const url = await emptyDatabase(server.url);
    const { pathname } = new URL(url);
    await administer(
      url,
      `ALTER DATABASE ${pathname.slice(1)} SET synchronous_commit = off`,
      `ALTER DATABASE ${pathname.slice(1)} SET default_transaction_isolation = 'serializable'`,
    );
    const lock = await openUntilTestEnds(url);

    const won = await Promise.all(Array.from({ length: 10 }, (_, at) => lock.swap('log.example', undefined, Uint8Array.of(at))));

    expect(won.filter(Boolean)).toHaveLength(1);
  });

  it.each(['', 'http://granary:hidden@db.example/x', 'postgresql://granary:hidden@db.example:notaport/x'])(
    'refuses the address %j without repeating it',
    async (url) => {
      const error: unknown = await openPostgresLock({ url }).catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({ name: 'LockError', code: 'unusable' });
      expect(`${error instanceof Error ? error.stack : ''}`).not.toContain('hidden');
    },
  );

  it('says that a password is wrong without repeating it', async () => {
    const url = new URL(server.url);
    url.password = 'hidden';

    await expect(openPostgresLock({ url: url.href })).rejects.toMatchObject({
      code: 'unusable',
      message: `ledger lock postgresql://127.0.0.1:${server.port}/postgres: open: password authentication failed for user "granary"`,
    });
  });
});
