export { freePort } from './free-port.ts';
export { type GitBackend, serveGit } from './git-backend.ts';
export { bringGoTool, type GoTool, goToolMissing } from './go-tool.ts';
export { type PostgresOptions, type PostgresServer, postgresMissing, startPostgres } from './postgres.ts';
export { type RedisOptions, type RedisServer, redisMissing, startRedis } from './redis.ts';
export { ServiceError } from './service-error.ts';
export { startVersitygw, type VersitygwOptions, type VersitygwServer, versitygwMissing } from './versitygw.ts';
