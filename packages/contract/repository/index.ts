export { type HeldRepository, type HeldRepositoryPorts, heldRepository } from './held-repository.ts';
export { documentOf, FINDINGS_COMPANION, heldPacks, INDEX_COMPANION, type KnownRefs, readKnownRefs, readRefState } from './ref-states.ts';
export { commitObject, MAX_SOURCE_BYTES, sourceBytes, treeArchive } from './source-bytes.ts';
