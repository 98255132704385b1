export { type LockCode, LockError } from './lock-error.ts';
export { openPostgresLock, type PostgresLock, type PostgresLockOptions } from './open-postgres-lock.ts';
export { type PostgresFinding, probePostgres } from './probe-postgres.ts';
