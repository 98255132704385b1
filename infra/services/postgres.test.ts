import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type PostgresOptions, type PostgresServer, postgresMissing, startPostgres } from './index.ts';

const missing = postgresMissing();

async function started(options: PostgresOptions): Promise<PostgresServer> {
  const server = await startPostgres(options);
  onTestFinished(() => server.stop());
  return server;
}

/** What Debian's own client, which comes with the server, is answered. */
async function ask({ url }: { readonly url: string }, query: string): Promise<string> {
  return (await promisify(execFile)('psql', ['--no-psqlrc', '--tuples-only', '--no-align', '--dbname', url, '--command', query])).stdout.trim();
}

describe.skipIf(missing !== undefined)(`PostgreSQL${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  it('starts over an empty folder, and goes on from there after a stop and after a crash', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'granary-postgres-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));

    const first = await started({ folder });
    await ask(first, 'CREATE TABLE kept AS SELECT 1 AS one');
    await first.stop();
    const second = await started({ folder, port: first.port });
    await ask(second, 'INSERT INTO kept VALUES (2)');
    await second.kill();
    const third = await started({ folder, port: first.port, settings: { fsync: 'off' } });

    expect(second.url).toBe(first.url);
    expect(await ask(third, 'SELECT sum(one) FROM kept')).toBe('3');
    expect(await ask(third, 'SHOW fsync')).toBe('off');
  });

  it.skipIf(process.getuid?.() !== 0)('says which folder its user cannot get to (skipped unless root)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'granary-closed-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));

    const place = join(folder, 'postgres');

    await expect(startPostgres({ folder: place })).rejects.toThrow(`its user can't get to ${place}: a folder above it is closed to others`);
  });

  it('lets nobody in without the password', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'granary-postgres-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { port } = await started({ folder });

    await expect(ask({ url: `postgresql://granary:guessed@127.0.0.1:${port}/postgres` }, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });
});
