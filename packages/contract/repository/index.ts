export { documentOf, FINDINGS_COMPANION, heldPacks, INDEX_COMPANION, type KnownRefs, readKnownRefs, readRefState } from './ref-states.ts';
