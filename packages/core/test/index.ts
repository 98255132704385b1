export { isInstalled, madeBy } from './real-tools.ts';
export { paxPart, paxRecord, type TarPart, tarBytes, tarHeader } from './tar-bytes.ts';
export { type ZipOptions, type ZipPart, zipBytes } from './zip-bytes.ts';
