import { type Store, StoreError } from '../ports/index.ts';

/** The n-th write reports an error: nothing of it was done (`lost`), or all of it (`kept`). */
export interface StoreFault {
  /** Counted from 1. */
  readonly step: number;
  readonly effect: 'lost' | 'kept';
}

/** Any store, with one write of it at fault. */
export function storeWithFault(store: Store, fault: StoreFault): { readonly store: Store; fired(): boolean } {
  let step = 0;

  async function faulty<T>(write: () => Promise<T>): Promise<T> {
    step += 1;
    if (step !== fault.step) return write();
    if (fault.effect === 'kept') await write();
    throw new StoreError('unreachable', `fault at write ${step}: ${fault.effect}`);
  }

  return {
    fired: () => step >= fault.step,
    store: {
      objects: { ...store.objects, putOnce: (key, bytes) => faulty(() => store.objects.putOnce(key, bytes)) },
      mutable: {
        replace: (key, bytes) => faulty(() => store.mutable.replace(key, bytes)),
        remove: (key) => faulty(() => store.mutable.remove(key)),
      },
      blobs: { ...store.blobs, put: (source, expect) => faulty(() => store.blobs.put(source, expect)) },
    },
  };
}
