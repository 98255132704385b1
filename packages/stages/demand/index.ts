export { type DemandPorts, demandSpecification } from './demand.ts';
export { importWatchList, type WatchedItem } from './watch-list.ts';
