export { type HeldRepository, type HeldRepositoryPorts, heldRepository } from './held-repository.ts';
export { heldLargeFile, heldLargeFiles, largeFileName, largeFilePurl } from './large-files.ts';
export { encodeOutside, NOTHING_OUTSIDE, type NotCovered, type Outside, readOutside, type Submodule } from './outside.ts';
export { documentOf, FINDINGS_COMPANION, heldPacks, INDEX_COMPANION, type KnownRefs, readKnownRefs, readRefState } from './ref-states.ts';
export { commitObject, MAX_SOURCE_BYTES, sourceBytes, treeArchive } from './source-bytes.ts';
export { submodulesOf } from './submodules.ts';
