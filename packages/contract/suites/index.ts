export { objectStoreContract } from './object-store.ts';
export type { FaultyStore, StoreSubject } from './store-subject.ts';
