export { type LockCode, LockError } from './lock-error.ts';
export { openSqliteLock, type SqliteLock, type SqliteLockOptions } from './open-sqlite-lock.ts';
