export { parseByteSize } from './byte-size.ts';
export { ConfigError } from './config-error.ts';
export type { Deployment, LockPlace, QueuePlace, S3Place, StorePlace } from './deployment.ts';
export { type Config, type ConfigOverrides, readConfig, type WatchLine } from './read-config.ts';
export { ConfigFile } from './schema.ts';
