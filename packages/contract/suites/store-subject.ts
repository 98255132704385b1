import type { StoreFault } from '../memory/index.ts';
import type { Store } from '../ports/index.ts';

export interface StoreSubject {
  /** An empty store of its own at each call. */
  readonly open: () => Promise<Store>;
  /** An empty store of which one step on the way to the medium fails. */
  readonly openFaulty: (fault: StoreFault) => Promise<FaultyStore>;
}
export interface FaultyStore {
  readonly store: Store;
  /** Whether the step was reached. */
  fired(): boolean;
  /** The same data without the fault, as the next run finds it. */
  reopen(): Promise<Store>;
}
