export { type Artifact, type Evidence, type PinnedArtifact, pinned, type WantedRole } from './artifact.ts';
export {
  AttestedBody,
  ComparedBody,
  DigestsShape,
  EnvironmentBody,
  factBody,
  LocatedBody,
  ObservedBody,
  ReaderBody,
  RebuiltBody,
  StoredBody,
  VanishedBody,
  VerdictBody,
  WantedBody,
  WatchedBody,
} from './bodies.ts';
export { canonicalJson, type Json, parseCanonicalJson } from './canonical-json.ts';
export { type ByteDigests, type Digests, digestsAgree, parseSha256, type Sha256, sha256, toSha256 } from './digest.ts';
export {
  COMPUTED_KINDS,
  type ComputedFact,
  type ComputedKind,
  type DecodedLeaf,
  decodeLeaf,
  type Entry,
  encodeEntry,
  type Fact,
  type FactKind,
  factJson,
  factKey,
  isComputed,
  isState,
  MAX_FACT_BYTES,
  PRIVATE_KINDS,
  parseFact,
  RUN_KINDS,
  type RunFact,
  type RunKind,
  STATE_KINDS,
  type StateFact,
  type StateKind,
} from './fact.ts';
export { fileNameOf, formatPurl, type Purl, type PurlParts, packageOf, parsePurl, purlParts, releaseOf, splitPurlText, toPurl } from './purl.ts';
export { type Instant, parseInstant, toInstant } from './time.ts';
export {
  CAUSES,
  type Cause,
  FAILURE_CLASSES,
  type FailureClass,
  RUNGS,
  type Rung,
  type ShownVerdict,
  SOURCE_TIERS,
  type SourceTier,
  VERDICTS,
  type Verdict,
  verdictOf,
} from './verdict.ts';
