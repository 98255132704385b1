export { type BuildStep, comparedInputs, readBuildHistory } from './build-history.ts';
export { type ClaimedSource, claimedSource, repositoryOfClaim } from './claimed-source.ts';
export { ArtifactShape, artifactJson, type Closure, decodeClosure, encodeClosure } from './closure.ts';
export { type ClosureSize, closureSize, overQuota } from './closure-size.ts';
export { type ArchiveSource, type Assist, type Definition, type DefinitionPhase, definitionJson, type Parameter } from './definition.ts';
export {
  type AskUpstream,
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
  type LockedPin,
  type Manifest,
  type PackageDocument,
  type PackageIndex,
  type RebuildableEcosystem,
  type Rebuilding,
  rebuildEligibility,
  type Toolchain,
  type Toolset,
  type UpstreamArtifact,
  type Wish,
} from './ecosystem.ts';
export { decodeTrialReport, encodeTrialReport, type InstallTrial, installTrial, type TrialReport, type TriedPackage } from './install-trial.ts';
export type { InstallCommand, Installing, InstallPlan, InstallRequest, PlannedInstall } from './installing.ts';
export { isSpdxExpression, spdxExpressionOf } from './licence.ts';
export { openPackageDocuments, type PackageDocuments } from './package-documents.ts';
export { decodePlan, encodePlan, type PlanRecord } from './plan-record.ts';
export { readToml } from './read-toml.ts';
export type { Attempt, BuildProposal, CompiledBuild, MetadataJob, Proposed, RebuildStrategy, RebuildSubject } from './rebuild.ts';
export { storedArtifact } from './stored-artifact.ts';
export type { PackageView, QuestionAnswer, Route, ViewFile, Views } from './views.ts';
