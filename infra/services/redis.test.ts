import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type RedisOptions, type RedisServer, redisMissing, startRedis } from './index.ts';

const missing = redisMissing();

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-redis-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function started(options: RedisOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

/** What redis-cli, which comes with the server, is answered. */
async function ask({ url }: { readonly url: string }, ...command: readonly string[]): Promise<string> {
  return (await promisify(execFile)('redis-cli', ['--no-auth-warning', '-u', url, ...command])).stdout.trim();
}

describe.skipIf(missing !== undefined)(`Redis${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  it('keeps nothing over a crash, and comes back at the same address', async () => {
    const folder = await scratch();

    const first = await started({ folder });
    expect(await ask(first, 'set', 'kept', '1')).toBe('OK');
    await first.kill();
    const second = await started({ folder, port: first.port });

    expect(second.url).toBe(first.url);
    expect(await ask(second, 'exists', 'kept')).toBe('0');
  });

  it('keeps what it is set to keep', async () => {
    const folder = await scratch();
    const settings = { appendonly: 'yes', appendfsync: 'always' };

    const first = await started({ folder, settings });
    await ask(first, 'set', 'kept', '1');
    await first.kill();
    const second = await started({ folder, settings });

    expect(await ask(second, 'get', 'kept')).toBe('1');
  });

  it('lets nobody in without the password, which stands in no list of processes', async () => {
    const folder = await scratch();
    const { port } = await started({ folder });

    expect(await ask({ url: `redis://127.0.0.1:${port}` }, 'ping')).toContain('NOAUTH');
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
    expect(stdout).not.toContain(await readFile(join(folder, 'password'), 'utf8'));
  });
});
