export { askUpstream } from './ask-upstream.ts';
export { type CandidatePorts, type CandidateView, openCandidateView } from './candidate.ts';
export { openFileAddresses } from './file-addresses.ts';
export { type Observation, type ObservePorts, observePackage } from './observe.ts';
export { storeArtifact } from './store-artifact.ts';
export type { SyncPorts } from './sync-ports.ts';
export { openUpstreamDocuments, type UpstreamDocument, type UpstreamDocuments } from './upstream-documents.ts';
