export { catalogContract } from './catalog.ts';
export { type EcosystemSubject, ecosystemContract } from './ecosystem.ts';
export { type LockSubject, lockBackendContract, type OpenLock } from './lock-backend.ts';
export { objectStoreContract } from './object-store.ts';
export { type OpenedQueue, type QueueSubject, queueContract } from './queue.ts';
export type { FaultyStore, StoreSubject } from './store-subject.ts';
