export { type PostgresOptions, type PostgresServer, postgresMissing, startPostgres } from './postgres.ts';
export { ServiceError } from './service-error.ts';
