export { openS3Lock, type S3Lock, type S3LockOptions } from './open-s3-lock.ts';
export { openS3Store, type S3Store, type S3StoreOptions } from './open-s3-store.ts';
export { PROBE, probeS3 } from './probe-s3.ts';
export { lockRefusal, type ProbeSize, type S3Finding, type S3Findings, storeRefusal } from './s3-findings.ts';
export type { WriteOnce } from './s3-objects.ts';
export { PATIENCE, type Patience, type S3Service } from './s3-service.ts';
