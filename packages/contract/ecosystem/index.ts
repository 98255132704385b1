export { type ArchiveSource, type Assist, type Definition, type DefinitionPhase, definitionJson, type Parameter } from './definition.ts';
export {
  type Declared,
  type DemandRules,
  type Ecosystem,
  type EcosystemCode,
  EcosystemError,
  type PackageDocument,
  type PackageIndex,
  type UpstreamArtifact,
  type Wish,
} from './ecosystem.ts';
export type { Attempt, BuildProposal, CompiledBuild, MetadataJob, Proposed, RebuildStrategy, RebuildSubject } from './rebuild.ts';
export type { PackageView, Route, ViewFile, Views } from './views.ts';
