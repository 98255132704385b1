import { describe } from 'vitest';
import { objectStoreContract } from '../suites/index.ts';
import { memoryStore, storeWithFault } from './index.ts';

describe('the store in memory', () => {
  objectStoreContract({
    open: async () => memoryStore(),
    openFaulty: async (fault) => {
      const kept = memoryStore();
      return { ...storeWithFault(kept, fault), reopen: async () => kept };
    },
  });
});
