import type { Config } from '@granary/config';
import { probePostgres } from '@granary/driver-lock-postgres';
import { probeRedis } from '@granary/driver-queue-bullmq';
import { lockRefusal, PATIENCE, probeS3, type S3Findings, storeRefusal } from '@granary/driver-store-s3';
import { s3ServiceOf } from '../roles/services.ts';
import type { Finding } from './doctor.ts';

/** What the services that the configuration names really do. Tries them, and leaves nothing behind. */
export async function probeServices(config: Config): Promise<readonly Finding[]> {
  const { store, lock, queue } = config;
  return [
    ...(store.type === 's3' ? (await Promise.all((['public', 'private'] as const).map((side) => bucketFindings(config, side)))).flat() : []),
    ...(lock.type === 'none' ? [{ state: 'missing' as const, what: 'lock', detail: lock.why }] : []),
    ...(lock.type === 'postgres' ? await probePostgres(lock.url) : []),
    ...(queue.type === 'redis' ? await redisFindings(queue.url) : []),
  ];
}

/** The lock lies in the private bucket, where it is S3's. */
async function bucketFindings({ store, lock }: Config, side: 'public' | 'private'): Promise<readonly Finding[]> {
  if (store.type !== 's3') return [];
  // Somebody waits for the answer.
  const service = { ...s3ServiceOf(store, side), patience: { ...PATIENCE, attempts: 2 } };
  const what = `store: bucket ${service.bucket}`;
  try {
    const findings = await probeS3(service);
    const refusal = storeRefusal(findings) ?? writeOnceRefusal(store.writeOnce, findings);
    const notSafeAsLock = lockRefusal(findings);
    const archive: Finding = refusal === undefined ? { state: 'ok', what, detail: detailsOf(findings) } : { state: 'missing', what, detail: refusal };
    if (side === 'public') return [archive];
    const isLock = lock.type === 's3';
    if (notSafeAsLock !== undefined) return [archive, { state: isLock ? 'missing' : 'hint', what: 'lock: S3', detail: notSafeAsLock }];
    return [
      archive,
      { state: isLock ? 'ok' : 'hint', what: 'lock: S3', detail: 'conditional writes hold under concurrency: it may keep the lock of the ledgers' },
    ];
  } catch (error) {
    return [{ state: 'missing', what, detail: messageOf(error) }];
  }
}

function writeOnceRefusal(writeOnce: string, { createOnce }: S3Findings): string | undefined {
  if (writeOnce !== 'conditional-put' || createOnce.state === 'holds') return undefined;
  return `${createOnce.detail}: set store.s3.writeOnce to check-then-put`;
}

function detailsOf(findings: S3Findings): string {
  return Object.values(findings)
    .map(({ detail }) => detail)
    .join('; ');
}

async function redisFindings(url: string): Promise<readonly Finding[]> {
  try {
    const { server, evictionPolicy, persistence, problems } = await probeRedis(url);
    const found: Finding = { state: 'ok', what: 'queue: Redis', detail: `${server}, eviction ${evictionPolicy}, keeps ${persistence ?? 'what it is set to'}` };
    return [
      found,
      ...problems.map(({ severity, text }): Finding => ({ state: severity === 'refused' ? 'missing' : 'weak', what: 'queue: Redis', detail: text })),
    ];
  } catch (error) {
    return [{ state: 'missing', what: 'queue: Redis', detail: messageOf(error) }];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
