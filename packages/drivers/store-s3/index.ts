export { openS3Store, type S3Store, type S3StoreOptions } from './open-s3-store.ts';
export type { WriteOnce } from './s3-objects.ts';
export { PATIENCE, type Patience, type S3Service } from './s3-service.ts';
