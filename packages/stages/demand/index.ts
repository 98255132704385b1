export { demandSpecification } from './demand.ts';
export type { DemandedEcosystem, DemandPorts } from './demand-ports.ts';
export { importWatchList, type WatchedItem } from './watch-list.ts';
