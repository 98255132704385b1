export { memoryStore } from './memory-store.ts';
export { type StoreFault, storeWithFault } from './store-with-fault.ts';
