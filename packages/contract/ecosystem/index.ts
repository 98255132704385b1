export { type BuildStep, comparedInputs, readBuildHistory, stepsFrom } from './build-history.ts';
export { type ClaimedSource, claimedSource, repositoryOfClaim } from './claimed-source.ts';
export { ArtifactShape, artifactJson, type Closure, decodeClosure, encodeClosure } from './closure.ts';
export { type ClosureSize, closureSize, overQuota } from './closure-size.ts';
export type { CommitDocument, CommitManifest, CommitRules, DocumentSource, NamedCommit } from './commit-rules.ts';
export {
  type ArchiveSource,
  type Assist,
  type BuildInput,
  type BuildMethod,
  type CommitSource,
  type Definition,
  type DefinitionPhase,
  definitionJson,
  type Parameter,
  type RebuildSource,
} from './definition.ts';
export {
  type AskUpstream,
  type AttestationRules,
  type CandidateFile,
  type CandidateRules,
  type Checked,
  type CheckRequest,
  type CurrentDocument,
  type Declared,
  type DemandRules,
  type DiscoveredCredentials,
  type DiscoveredUpstream,
  type Discovery,
  type Ecosystem,
  type EcosystemCode,
  EcosystemError,
  type FileAddresses,
  type Held,
  isRebuildable,
  type LockedPin,
  type Manifest,
  type PackageDocument,
  type PackageIndex,
  type RebuildableEcosystem,
  type Rebuilding,
  type ReleaseDocuments,
  type ResolverEcosystem,
  rebuildEligibility,
  type Toolchain,
  type Toolset,
  type UpstreamArtifact,
  usesResolver,
  type Wish,
} from './ecosystem.ts';
export { decodeTrialReport, encodeTrialReport, type InstallTrial, installTrial, type TrialReport, type TriedPackage } from './install-trial.ts';
export type { InstallCommand, Installing, InstallPlan, InstallRequest, PlannedInstall } from './installing.ts';
export { isSpdxExpression, spdxExpressionOf } from './licence.ts';
export { openPackageDocuments, type PackageDocuments } from './package-documents.ts';
export { decodePlan, encodePlan, type PlanRecord } from './plan-record.ts';
export { readToml } from './read-toml.ts';
export type { Attempt, BuildProposal, CompiledBuild, MetadataJob, Proposed, RebuildStrategy, RebuildSubject } from './rebuild.ts';
export { namedRepositories, type ReleaseClaim, releaseClaim, repositoryToSearch } from './release-claim.ts';
export { leadingFile, restsOn, type SourceStanding, sourceStanding } from './source-standing.ts';
export { storedArtifact } from './stored-artifact.ts';
export type { PackageView, QuestionAnswer, Route, ViewFile, Views } from './views.ts';
export {
  decodeWritten,
  encodeWritten,
  isLocatedBy,
  type WrittenDefinition,
  type WrittenDefinitions,
  type WrittenEntry,
  type WrittenRules,
  writtenInput,
} from './written-definition.ts';
