export { parseByteSize } from './byte-size.ts';
export { ConfigError } from './config-error.ts';
export { DefinitionFile, MAX_DEFINITION_FILE_BYTES, parseDefinitionFile } from './definition-file.ts';
export type { Deployment, LockPlace, QueuePlace, S3Place, StorePlace } from './deployment.ts';
export { type Config, type ConfigOverrides, readConfig, type WatchLine } from './read-config.ts';
export { ConfigFile } from './schema.ts';
