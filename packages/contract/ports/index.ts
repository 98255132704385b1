export type { Advisories, KnownAdvisories } from './advisories.ts';
export type { AttestationOutcome, AttestationVerifier, AttestedSource } from './attestations.ts';
export type { HttpBody, HttpHandler, HttpRequest, HttpResponse, HttpStream } from './http.ts';
export {
  type AtSize,
  type Catalog,
  type CatalogCode,
  CatalogError,
  type CatalogFact,
  type CatalogFold,
  type FactSink,
  type FoldableLeaf,
  type LockBackend,
  type LoggedStatement,
} from './ledger.ts';
export type { Readers } from './readers.ts';
export {
  type DatedCommit,
  type FsckFinding,
  type LocalRepository,
  type PackLimits,
  type Repositories,
  type RepositoryCode,
  RepositoryError,
  type ShownRefs,
  type StoredPack,
  type TakenPack,
  type TreeEntry,
  type UploadPackRequest,
} from './repositories.ts';
export type { Pin, Resolution, ResolveRequest, Resolver } from './resolver.ts';
export {
  type Contact,
  type PhaseEnd,
  type RootFilesystems,
  type RootfsRecipe,
  type Sandbox,
  type SandboxCode,
  SandboxError,
  type SandboxInput,
  type SandboxLimits,
  type SandboxPhase,
  type SandboxResult,
  type SandboxRun,
} from './sandbox.ts';
export type { NoteSigner, RoleSigner, StatementSigner } from './signer.ts';
export type { Spool } from './spool.ts';
export {
  type BlobExpectation,
  type BlobStore,
  type ByteRange,
  type MutableObjects,
  type ObjectStore,
  type Store,
  type StoreCode,
  type StoredBlob,
  StoreError,
} from './store.ts';
export { type SharedBudget, type Upstream, type UpstreamCode, UpstreamError, type UpstreamRequest, type UpstreamResponse } from './upstream.ts';
export {
  type Clock,
  type HandleOptions,
  type Job,
  type JobContext,
  JobError,
  type JobEvent,
  type Queue,
  type Retry,
  type RetryTimes,
  STAGES,
  type Stage,
} from './work.ts';
