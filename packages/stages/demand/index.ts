export { closureOfWishes, type PartialClosure } from './closure-of-wishes.ts';
export { demandSpecification } from './demand.ts';
export type { DemandedEcosystem, DemandPorts } from './demand-ports.ts';
export { MAX_WATCHED_BYTES, type Wishes, wishesOf } from './read-wishes.ts';
export { isSbomName } from './sbom.ts';
export {
  acceptRequests,
  addWatched,
  importWatchList,
  removeWatched,
  requestWatched,
  type WatchChange,
  type WatchedItem,
  type WatchPorts,
} from './watch-list.ts';
