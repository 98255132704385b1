import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startVersitygw, versitygwMissing } from '@granary/services';
import type { S3Service } from '../index.ts';

/** A real service for the tests of one file. */
export interface TestService extends AsyncDisposable {
  readonly endpoint: string;
  /** A bucket of its own at each call. */
  newBucket(): Promise<S3Service>;
  readonly scratchDir: string;
}

/** Throws, and thereby fails the lane, where no service can be had: what was not run must not look like what has passed. */
export async function startTestService(): Promise<TestService> {
  const missing = versitygwMissing();
  if (missing !== undefined) throw new Error(`not run: ${missing}`);
  const root = await mkdtemp(join(tmpdir(), 'granary-s3-'));
  const server = await startVersitygw({ folder: join(root, 'service') });
  const { endpoint, region, accessKey, secretKey } = server;
  return {
    endpoint,
    scratchDir: join(root, 'scratch'),
    async newBucket() {
      const bucket = `test-${randomBytes(6).toString('hex')}`;
      await mkdir(join(root, 'service/buckets', bucket));
      return { endpoint, region, accessKey, secretKey, bucket };
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
