import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { probeRedis } from './index.ts';
import { named, noRedis, testRedis } from './test/test-redis.ts';

async function started(settings: Readonly<Record<string, string>>): Promise<string> {
  const redis = await testRedis({ settings });
  onTestFinished(redis.remove);
  return redis.server.url;
}

describe.skipIf(noRedis !== undefined)(named('the probe of a Redis'), () => {
  it('finds nothing wrong with one that is set as it should be', async () => {
    const url = await started({ appendonly: 'yes' });

    const findings = await probeRedis(url);

    expect(findings).toEqual({
      server: expect.stringMatching(/^(redis|valkey) \d+\.\d+\.\d+$/),
      evictionPolicy: 'noeviction',
      persistence: 'append-only-file',
      scripts: 'work',
      problems: [],
    });
  });

  it('warns of one that would throw jobs away', async () => {
    const url = await started({ 'maxmemory-policy': 'allkeys-lru' });

    const { persistence, problems } = await probeRedis(url);

    expect(persistence).toBe('none');
    expect(problems).toEqual([{ severity: 'risky', text: expect.stringContaining('set it to noeviction') }]);
  });

  it('refuses a replica, and a user who may run no scripts', async () => {
    const url = await started({});
    const client = new Redis(url);
    onTestFinished(() => client.disconnect());
    await client.acl('SETUSER', 'plain', 'on', '>secret', '~*', '+@all', '-@scripting', '-config');
    const plain = Object.assign(new URL(url), { username: 'plain', password: 'secret' }).href;

    expect(await probeRedis(plain)).toMatchObject({ scripts: 'refused', persistence: undefined, problems: [{ severity: 'refused' }] });

    await client.call('REPLICAOF', '127.0.0.1', '1');
    expect((await probeRedis(url)).problems).toContainEqual({ severity: 'refused', text: expect.stringContaining('name the primary') });
  });
});
