export type { Artifact, Evidence, WantedRole } from './artifact.ts';
export { canonicalJson, type Json, parseCanonicalJson } from './canonical-json.ts';
export { type Digests, parseSha256, type Sha256, sha256, toSha256 } from './digest.ts';
export {
  COMPUTED_KINDS, type ComputedFact, type ComputedKind, type DecodedLeaf, decodeLeaf, encodeEntry, type Entry, type Fact, type FactKind,
  factJson, factKey, isComputed, isState, MAX_FACT_BYTES, parseFact, PRIVATE_KINDS, RUN_KINDS, type RunFact, type RunKind, STATE_KINDS, type StateFact, type StateKind,
} from './fact.ts';
export { formatPurl, packageOf, parsePurl, type Purl, type PurlParts, purlParts, releaseOf } from './purl.ts';
export { type Instant, parseInstant, toInstant } from './time.ts';
export { type Cause, CAUSES, FAILURE_CLASSES, type FailureClass, type Rung, RUNGS, type ShownVerdict, SOURCE_TIERS, type SourceTier, type Verdict, VERDICTS, verdictOf } from './verdict.ts';
