import { StoreError } from '@granary/contract/ports';
import { S3Fault } from './s3-fault.ts';
import type { S3Service } from './s3-service.ts';

/** Runs something on the bucket; the S3Fault that it ends in becomes a StoreError that says what was done to what, and what to check. */
export async function onS3<T>(what: string, service: S3Service, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw error instanceof S3Fault ? toStoreError(what, service, error) : error;
  }
}

export function toStoreError(what: string, { endpoint, bucket }: Pick<S3Service, 'endpoint' | 'bucket'>, fault: S3Fault): StoreError {
  const place = `bucket ${bucket} at ${endpoint}`;
  const options = { cause: fault };
  switch (fault.kind) {
    case 'denied':
      return new StoreError('read-only', `${what}: ${place} refuses these keys (${fault.message}): ${remedyOfDenial(fault)}`, options);
    case 'full':
      return new StoreError(
        'disk-full',
        `${what}: ${place} is full (${fault.message}): raise its quota, or free some space; nothing stored is harmed`,
        options,
      );
    case 'transient':
      return new StoreError('unreachable', `${what}: ${place}: ${fault.message}: check that it runs and is reached from here, then run again`, options);
    case 'absent':
    case 'precondition':
    case 'unsupported':
    case 'refused':
      return new StoreError('unreachable', `${what}: ${place}: ${fault.message}: ${remedyOfRefusal(fault)}`, options);
  }
}

function remedyOfDenial({ code }: S3Fault): string {
  if (code === 'RequestTimeTooSkewed') return 'set the clock of this machine';
  return 'check access key and secret key, and that they may read, write, list and delete there';
}

function remedyOfRefusal({ code, message }: S3Fault): string {
  switch (code) {
    case 'NoSuchBucket':
      return 'make the bucket first, or name the right one';
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return 'check region and endpoint';
    default:
      return /^HTTP 30\d/.test(message) ? 'check region and endpoint' : '`granary doctor` says what this service does';
  }
}
