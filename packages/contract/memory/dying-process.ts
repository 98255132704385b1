import { type LockBackend, type Store, StoreError } from '../ports/index.ts';
import type { StoreFault } from './store-with-fault.ts';

export interface DyingProcess {
  readonly store: Store;
  readonly lock: LockBackend;
  /** Whether the write was reached. */
  died(): boolean;
}

/**
 * What a process has in hand that is killed at its n-th write, to store or lock alike: of that write nothing was done (`lost`) or all of it
 * (`kept`), and whatever the process does from then on has no effect. The store and the lock given are what the next run finds.
 */
export function dyingProcess({ store, lock }: { readonly store: Store; readonly lock: LockBackend }, fault: StoreFault): DyingProcess {
  let writes = 0;

  const killed = () => new StoreError('unreachable', `killed at write ${fault.step}: ${fault.effect}`);
  function alive(): void {
    if (writes >= fault.step) throw killed();
  }
  async function write<T>(step: () => Promise<T>): Promise<T> {
    alive();
    writes += 1;
    if (writes < fault.step) return step();
    if (fault.effect === 'kept') await step();
    throw killed();
  }
  async function read<T>(step: () => Promise<T>): Promise<T> {
    alive();
    return step();
  }

  const { objects, mutable, blobs } = store;
  return {
    died: () => writes >= fault.step,
    lock: {
      load: (origin) => read(() => lock.load(origin)),
      swap: (origin, expected, next) => write(() => lock.swap(origin, expected, next)),
    },
    store: {
      objects: {
        putOnce: (key, bytes) => write(() => objects.putOnce(key, bytes)),
        get: (key, maxBytes) => read(() => objects.get(key, maxBytes)),
        list(prefix) {
          alive();
          return objects.list(prefix);
        },
      },
      mutable: {
        replace: (key, bytes) => write(() => mutable.replace(key, bytes)),
        remove: (key) => write(() => mutable.remove(key)),
      },
      blobs: {
        put: (source, expect) => write(() => blobs.put(source, expect)),
        open: (digest, range) => read(() => blobs.open(digest, range)),
        read: (digest, maxBytes) => read(() => blobs.read(digest, maxBytes)),
        size: (digest) => read(() => blobs.size(digest)),
      },
    },
  };
}
