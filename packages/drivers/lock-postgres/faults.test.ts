import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresMissing, startPostgres } from '@granary/services';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPostgresLock, type PostgresLock, probePostgres } from './index.ts';
import { openCuttingProxy } from './test/cutting-proxy.ts';
import { administer, serverUntilTestEnds, withParts } from './test/own-server.ts';

const missing = postgresMissing();
const ORIGIN = 'log.example';
const A = Uint8Array.of(1);
const B = Uint8Array.of(2);
const C = Uint8Array.of(3);

async function openUntilTestEnds(url: string, notes: string[] = []): Promise<PostgresLock> {
  const lock = await openPostgresLock({ url, onNote: (text) => notes.push(text) });
  onTestFinished(() => lock[Symbol.asyncDispose]());
  return lock;
}

describe.skipIf(missing !== undefined)(`PostgreSQL that fails${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  it('holds what was swapped when the answer is lost, and says so', async () => {
    const { url, port } = await serverUntilTestEnds();
    await using proxy = await openCuttingProxy(port);
    const direct = await openUntilTestEnds(url);
    const notes: string[] = [];
    const lock = await openUntilTestEnds(withParts(url, { port: proxy.port }), notes);

    proxy.arm({ lose: 'answer', connection: 'ends' });
    const first = await lock.swap(ORIGIN, undefined, A);
    proxy.arm({ lose: 'answer', connection: 'ends' });
    const second = await lock.swap(ORIGIN, A, B);
    proxy.arm({ lose: 'request', connection: 'ends' });
    const third = await lock.swap(ORIGIN, B, C);
    proxy.arm({ lose: 'answer', connection: 'ends' });
    const loaded = await lock.load(ORIGIN);

    expect([first, second, third]).toEqual([true, true, true]);
    expect([loaded, await direct.load(ORIGIN)]).toEqual([C, C]);
    expect(notes).toHaveLength(4);
    expect(notes[0]).toContain(`swap ${ORIGIN}: Connection terminated unexpectedly; trying again`);
  });

  it('asks again when the server is silent', async () => {
    const { url, port } = await serverUntilTestEnds();
    await using proxy = await openCuttingProxy(port);
    const lock = await openUntilTestEnds(withParts(url, { port: proxy.port }));

    proxy.arm({ lose: 'answer', connection: 'stays' });

    expect(await lock.swap(ORIGIN, undefined, A)).toBe(true);
  });

  it('does not claim to know when the answer is lost and another has moved on', async () => {
    const { url, port } = await serverUntilTestEnds();
    await using proxy = await openCuttingProxy(port);
    const other = await openUntilTestEnds(url);
    const lock = await openUntilTestEnds(withParts(url, { port: proxy.port }));
    await lock.swap(ORIGIN, undefined, A);

    proxy.arm({ lose: 'answer', connection: 'ends', before: async () => void (await other.swap(ORIGIN, B, C)) });
    const swapped = lock.swap(ORIGIN, A, B);

    await expect(swapped).rejects.toMatchObject({ code: 'lost-answer' });
    expect(await lock.load(ORIGIN)).toEqual(C);
  });

  it('keeps a head through kill -9 of the server, and goes on with the same handle', async () => {
    const server = await serverUntilTestEnds();
    const lock = await openUntilTestEnds(server.url);
    await lock.swap(ORIGIN, undefined, A);

    await server.kill();
    await expect(lock.load(ORIGIN)).rejects.toMatchObject({ code: 'unreachable' });
    await using _again = await startPostgres({ folder: server.folder, port: server.port });

    expect(await lock.load(ORIGIN)).toEqual(A);
    expect(await lock.swap(ORIGIN, A, B)).toBe(true);
  });

  it('refuses a server that does not wait for its disk', async () => {
    const server = await serverUntilTestEnds({ fsync: 'off' });

    await expect(openPostgresLock({ url: server.url })).rejects.toMatchObject({ code: 'not-durable', message: expect.stringContaining('fsync = on') });
    expect(await probePostgres(server.url)).toContainEqual(expect.objectContaining({ state: 'missing', what: 'lock: fsync' }));
  });

  it('refuses a standby', async () => {
    const server = await serverUntilTestEnds();
    await server.stop();
    await writeFile(join(server.folder, 'data/standby.signal'), '');
    await using standby = await startPostgres({ folder: server.folder });

    await expect(openPostgresLock({ url: standby.url })).rejects.toMatchObject({ code: 'read-only', message: expect.stringContaining('name the primary') });
    expect(await probePostgres(standby.url)).toContainEqual(expect.objectContaining({ state: 'missing', what: 'lock: takes writes' }));
  });

  it('does not take a commit for durable whose wait for a standby was cancelled', async () => {
    const { url } = await serverUntilTestEnds();
    const lock = await openUntilTestEnds(url);
    await lock.swap(ORIGIN, undefined, A);
    await administer(url, "ALTER SYSTEM SET synchronous_standby_names = 'absent'", 'SELECT pg_reload_conf()');
    await sleep(500);

    const swapped = lock.swap(ORIGIN, A, B);
    await sleep(500);
    await administer(url, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'granary' AND wait_event = 'SyncRep'");
    const early = await Promise.race([swapped, sleep(1_000).then(() => 'still waiting')]);
    await administer(url, 'SET synchronous_commit = local', 'ALTER SYSTEM RESET synchronous_standby_names', 'SELECT pg_reload_conf()');

    expect(early).toBe('still waiting');
    expect(await swapped).toBe(true);
  });
});

describe.skipIf(missing !== undefined)(`the probe${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  it('finds nothing to complain about in a server as it is installed, and changes nothing', async () => {
    const { url, port } = await serverUntilTestEnds();

    const findings = await probePostgres(url);
    const again = await probePostgres(url);

    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(findings[0]).toMatchObject({
      what: 'lock: PostgreSQL',
      detail: expect.stringMatching(new RegExp(`^\\d+\\.\\d+.* at postgresql://127.0.0.1:${port}/postgres$`)),
    });
    expect(again).toEqual(findings);
  });

  it('says that nobody answers, without the password', async () => {
    const findings = await probePostgres('postgresql://granary:hidden@127.0.0.1:1/postgres');

    expect(findings).toEqual([
      {
        state: 'missing',
        what: 'lock: PostgreSQL',
        detail: expect.stringMatching(/^ledger lock postgresql:\/\/127\.0\.0\.1:1\/postgres: ask: .*ECONNREFUSED/),
      },
    ]);
  });
});
