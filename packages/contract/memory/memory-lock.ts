import type { LockBackend } from '../ports/index.ts';

/** Heads in memory, linearizable within one process: for tests. */
export function memoryLock(): LockBackend {
  const heads = new Map<string, Uint8Array>();
  return {
    async load(origin) {
      return heads.get(origin)?.slice();
    },
    async swap(origin, expected, next) {
      if (!same(heads.get(origin), expected)) return false;
      heads.set(origin, next.slice());
      return true;
    },
  };
}

function same(stored: Uint8Array | undefined, expected: Uint8Array | undefined): boolean {
  if (stored === undefined || expected === undefined) return stored === expected;
  return Buffer.compare(stored, expected) === 0;
}
