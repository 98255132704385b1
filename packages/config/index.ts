export { ConfigError } from './config-error.ts';
export { type Config, type ConfigOverrides, readConfig, type WatchLine } from './read-config.ts';
export { ConfigFile } from './schema.ts';
