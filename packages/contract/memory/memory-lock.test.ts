import { describe } from 'vitest';
import { lockBackendContract } from '../suites/index.ts';
import { memoryLock } from './index.ts';

const alone = 'memory belongs to one process, and to one handle';

describe('the lock in memory', () =>
  lockBackendContract({
    async open() {
      const lock = memoryLock();
      return { lock, reopen: async () => lock, race: async () => 0 };
    },
    skips: { reopen: alone, processes: alone },
  }));
