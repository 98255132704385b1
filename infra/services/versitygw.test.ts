import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startVersitygw, type VersitygwOptions, type VersitygwServer } from './index.ts';
import { versitygwBuilt } from './versitygw.ts';

const missing = versitygwBuilt() ? undefined : 'it is not built yet: npm run lane:s3 does';

async function started(options: VersitygwOptions): Promise<VersitygwServer> {
  const server = await startVersitygw(options);
  onTestFinished(() => server.stop());
  return server;
}

describe.skipIf(missing !== undefined)(`versitygw${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  it('starts over an empty folder, and again with the same keys after a stop and after a crash', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'granary-versitygw-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));

    const first = await started({ folder, buckets: ['kept'] });
    expect((await fetch(`${first.endpoint}/kept`)).status).toBe(403);
    await first.stop();
    await expect(fetch(first.endpoint)).rejects.toThrow();
    const second = await started({ folder, port: first.port });
    await second.kill();
    const third = await started({ folder, port: first.port });

    expect(third).toMatchObject({ endpoint: first.endpoint, accessKey: first.accessKey, secretKey: first.secretKey });
  });
});
