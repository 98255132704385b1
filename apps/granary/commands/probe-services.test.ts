import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@granary/config';
import { postgresMissing, redisMissing, startPostgres, startRedis } from '@granary/services';
import { expect, it, onTestFinished } from 'vitest';
import { probeServices } from './probe-services.ts';

const missing = [redisMissing(), postgresMissing()].find((reason) => reason !== undefined);

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'granary-probe-'));
  // PostgreSQL runs as a user of its own, who must get there.
  await chmod(made, 0o711);
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

it('asks nothing of a folder and a queue in the process', async () => {
  expect(await probeServices(await readConfig({}, {}, await folder()))).toEqual([]);
});

it('names what can’t be reached, and what is not configured', async () => {
  const environment = {
    GRANARY_STORE: '{s3: {endpoint: "http://127.0.0.1:1", publicBucket: one, privateBucket: two}}',
    AWS_ACCESS_KEY_ID: 'someone',
    AWS_SECRET_ACCESS_KEY: 'secret',
    GRANARY_QUEUE: '{redis: {url: "redis://127.0.0.1:1"}}',
  };

  const findings = await probeServices(await readConfig({}, environment, await folder()));

  expect(findings.map(({ state, what }) => `${state} ${what}`)).toEqual([
    'missing store: bucket one',
    'missing store: bucket two',
    'missing lock',
    'missing queue: Redis',
  ]);
  expect(findings.map(({ detail }) => detail).join('\n')).not.toContain('secret');
});

it.skipIf(missing !== undefined)(
  `finds real services as they are${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  async () => {
    const place = await folder();
    await using redis = await startRedis({ folder: join(place, 'redis') });
    await using postgres = await startPostgres({ folder: join(place, 'postgres') });
    const environment = {
      GRANARY_LOCK: '{postgres: {}}',
      GRANARY_POSTGRES_URL: postgres.url,
      GRANARY_QUEUE: '{redis: {}}',
      GRANARY_REDIS_URL: redis.url,
    };

    const findings = await probeServices(await readConfig({}, environment, place));

    expect(findings.filter(({ state }) => state === 'missing')).toEqual([]);
    expect(findings.filter(({ state }) => state === 'ok').map(({ what }) => what)).toEqual(expect.arrayContaining(['lock: PostgreSQL', 'queue: Redis']));
  },
  60_000,
);
