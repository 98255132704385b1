export { memoryLock } from './memory-lock.ts';
export { memoryStore } from './memory-store.ts';
export { type StoreFault, storeWithFault } from './store-with-fault.ts';
