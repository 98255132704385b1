export { type DyingProcess, dyingProcess } from './dying-process.ts';
export { type ManualClock, manualClock } from './manual-clock.ts';
export { memoryCatalog } from './memory-catalog.ts';
export { memoryLock } from './memory-lock.ts';
export { memorySpool } from './memory-spool.ts';
export { memoryStore } from './memory-store.ts';
export { type StoreFault, storeWithFault } from './store-with-fault.ts';
