import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { lockBackendContract } from '@granary/contract/suites';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteLock, type SqliteLock } from './index.ts';

async function scratchFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-lock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'made/ledger-locks.sqlite');
}

function openUntilTestEnds(file: string): SqliteLock {
  const lock = openSqliteLock({ file });
  onTestFinished(() => lock.close());
  return lock;
}

async function race(file: string, origin: string, processes: number, turns: number): Promise<number> {
  const racer = (number: number): ChildProcess =>
    spawn(process.execPath, [join(import.meta.dirname, 'test/racer.ts'), file, origin, String(number), String(turns)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const racers = Array.from({ length: processes }, (_, at) => racer(at));
  await Promise.all(racers.map(({ stdout }) => stdout && once(stdout, 'data')));
  const said = racers.map(async ({ stdout }) => (stdout ? String((await once(stdout, 'data'))[0]) : ''));
  for (const { stdin } of racers) stdin?.write('go\n');
  return (await Promise.all(said)).filter((line) => line === 'true\n').length;
}

describe('the lock in SQLite', () => {
  lockBackendContract({
    async open() {
      const file = await scratchFile();
      return {
        lock: openUntilTestEnds(file),
        reopen: async () => openUntilTestEnds(file),
        race: (origin, processes, turns) => race(file, origin, processes, turns),
      };
    },
  });

  it('survives its process', async () => {
    const file = await scratchFile();
    const before = openSqliteLock({ file });
    await before.swap('log.example', undefined, Uint8Array.of(1));
    before.close();

    expect(await openUntilTestEnds(file).load('log.example')).toEqual(Uint8Array.of(1));
  });

  it('says who is in the way while another process holds it', async () => {
    const file = await scratchFile();
    openUntilTestEnds(file);
    const holder = new DatabaseSync(file);
    onTestFinished(() => holder.close());
    holder.exec('BEGIN IMMEDIATE');
    using lock = openSqliteLock({ file, busyTimeoutMs: 10 });

    await expect(lock.swap('log.example', undefined, Uint8Array.of(1))).rejects.toMatchObject({ name: 'LockError', code: 'busy' });

    holder.exec('ROLLBACK');
    expect(await lock.swap('log.example', undefined, Uint8Array.of(1))).toBe(true);
  });

  it.skipIf(process.getuid?.() === 0)('says that it cannot be written (skipped as root, who may write everywhere)', async () => {
    const file = await scratchFile();
    openSqliteLock({ file }).close();
    await chmod(file, 0o400);

    expect(() => openSqliteLock({ file })).toThrow(expect.objectContaining({ code: 'read-only' }));
  });

  it('refuses a file that is no database', async () => {
    const file = await scratchFile();
    openSqliteLock({ file }).close();
    await writeFile(file, 'x'.repeat(4096));

    expect(() => openSqliteLock({ file })).toThrow(expect.objectContaining({ code: 'unusable' }));
  });
});
