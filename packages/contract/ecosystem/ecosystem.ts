import type { ArtifactRules } from '@granary/core/compare';
import type { Artifact, Digests, Evidence, Instant, PinnedArtifact, Purl, Sha256 } from '@granary/core/model';
import type { Pin, Resolution } from '../ports/index.ts';
import type { ClaimedSource } from './claimed-source.ts';
import type { Installing } from './installing.ts';
import type { Eligibility, RebuildStrategy } from './rebuild.ts';
import type { Views } from './views.ts';

/** One file in an upstream's index: what it can be checked by, and where it lies. */
export interface UpstreamArtifact extends Artifact {
  /** Absolute; resolved against the document's own address. The document's own where {@link PackageIndex.files} tells. */
  readonly url: string;
  /** No file of its kind is larger: for those whose size upstream doesn't state. */
  readonly maxBytes?: number;
  readonly yanked: boolean;
  /** What follows from the index once the digests were checked. */
  readonly evidence: readonly Evidence[];
  /** Documents beside the artifact that upstream offers, such as its provenance: stored with it. */
  readonly companions: readonly { readonly name: string; readonly url: string; readonly accept: string }[];
  /** What the index says was signed, and by which keys: for {@link Ecosystem.check}. */
  readonly signatures?: readonly { readonly message: string; readonly keyId: string; readonly signature: string }[];
}
/** An index document of one package, parsed. */
export interface PackageDocument {
  readonly package: Purl;
  readonly artifacts: readonly UpstreamArtifact[];
  /** Files that could not be taken in and why: an unknown name, no digest. Recorded, never dropped silently. */
  readonly refused: readonly { readonly fileName: string; readonly why: string }[];
  /** The one of `artifacts` at that path, where it can be had without making all of them. */
  fileAt?(path: string): UpstreamArtifact | undefined;
}

/** Where files lie, when one document of the whole upstream tells and not the index of a package. Pure. */
export interface FileAddresses {
  documentUrl(upstreamBase: string): string;
  readonly maxDocumentBytes: number;
  /** Absolute. Throws EcosystemError `malformed`. */
  addressOf(artifact: UpstreamArtifact, document: Uint8Array): string;
}
/** What upstream says of one release alone: a hundredth of the bytes of its package's document, which is what comes on record. Pure. */
export interface ReleaseDocuments {
  readonly accept: string;
  readonly maxBytes: number;
  /** Where the release of the file at that path of our views would lie; undefined where the path doesn't tell. */
  url(upstreamBase: string, packagePurl: Purl, path: string): string | undefined;
  /** The file at that path, as the package's document has it, but for its time; undefined where the release has none there. Throws EcosystemError `malformed`. */
  parse(bytes: Uint8Array, asked: { readonly url: string; readonly package: Purl; readonly path: string }): UpstreamArtifact | undefined;
}
/** Which documents there are upstream, and what they say. Pure. */
export interface PackageIndex {
  readonly accept: string;
  readonly maxDocumentBytes: number;
  documentUrl(upstreamBase: string, packagePurl: Purl): string;
  readonly files?: FileAddresses;
  /** The files of a version that upstream may have without listing it, such as Go's pseudo-versions. Undefined for what can't be a version; left out where all are listed. */
  unlisted?(upstreamBase: string, packagePurl: Purl, version: string): readonly UpstreamArtifact[] | undefined;
  /** Where the file at that path of our views would usually lie: asked for while the index is on its way, and used only if that says the same. */
  usual?(upstreamBase: string, packagePurl: Purl, path: string): { readonly purl: Purl; readonly url: string } | undefined;
  /** Left out where upstream tells nothing of a release alone. */
  readonly release?: ReleaseDocuments;
  /** Throws EcosystemError `malformed`. */
  parse(bytes: Uint8Array, source: { readonly url: string; readonly contentType: string; readonly package: Purl }): PackageDocument;
}

/** What an artifact says of itself. Untrusted. */
export interface Declared {
  /** SPDX expression. */
  readonly licence?: string;
  /** Its own metadata document, when the ecosystem serves that apart from the artifact. */
  readonly metadata?: Uint8Array;
  /** When it was published, where only the artifact tells. */
  readonly publishedAt?: Instant;
  readonly source?: ClaimedSource;
}

/** Reads what is stored, whatever a view would show of it. */
export interface Held {
  files(packagePurl: Purl): readonly Pick<PinnedArtifact, 'purl' | 'sha256'>[];
  /** Undefined when it isn't in the store; throws StoreError `too-large`. */
  read(digest: Sha256, maxBytes: number): Promise<Uint8Array | undefined>;
}
/** Asks an upstream what isn't an index document. */
export interface AskUpstream {
  readonly upstreamBase: string;
  /** Undefined when it has no such thing. */
  readonly fetch: (url: string, maxBytes: number) => Promise<Uint8Array | undefined>;
}
/** An artifact whose bytes agree with every digest that upstream stated. */
export interface CheckRequest extends AskUpstream {
  readonly artifact: UpstreamArtifact;
  /** As {@link Discovery} or the configuration has them. */
  readonly settings: Readonly<Record<string, string>>;
  /** What earlier checks kept beside other artifacts. Facts that aren't sequenced yet don't show. */
  readonly held: Held;
  /** Whole; throws StoreError `too-large`. */
  readonly read: (maxBytes: number) => Promise<Uint8Array>;
}
/** What the checks came to, and what clients need to repeat them. */
export interface Checked {
  readonly evidence: readonly Evidence[];
  /** What was found out about its bytes beside what upstream stated. */
  readonly digests?: Digests;
  /** Documents kept with the artifact, by name. */
  readonly companions?: Readonly<Record<string, Uint8Array>>;
  /** Files that stand for themselves, such as tiles of a checksum database: stored beside it under names of their own. */
  readonly beside?: readonly { readonly purl: Purl; readonly path: string; readonly bytes: Uint8Array }[];
}

/** A file of the candidate index: where its metadata comes from. */
export interface CandidateFile {
  readonly artifact: UpstreamArtifact;
  /** `stand-in`: the release has only source archives; the resolver is shown an installable file that doesn't exist, and `artifact` is the archive whose metadata its build tells. */
  readonly origin: 'published' | 'stand-in';
}
/** Upstream's full index of a package in the form that the ecosystem's resolver reads: internal, for resolving only. Pure. */
export interface CandidateRules {
  readonly mediaType: string;
  /** Path of a package's index below the candidate root, and the way back. */
  packageOfPath(path: string): Purl | undefined;
  render(
    document: { readonly bytes: Uint8Array; readonly url: string; readonly contentType: string; readonly package: Purl },
    /** Address at which the file would be fetched; its metadata lies at that address with `.metadata` appended. */
    addressOf: (file: CandidateFile, fileName: string) => string,
  ): Uint8Array;
  files(document: PackageDocument): readonly CandidateFile[];
}

/** A version, and what a lock says of its files: nothing, where `digests` is empty. */
export interface LockedPin extends Pin {
  readonly digests: readonly Digests[];
}
/** One thing that somebody wants kept. `notCovered`: what a lock names that lies in no registry, one line each, for people. */
export type Wish =
  | { readonly type: 'requirements'; readonly label: string; readonly requirements: readonly string[] }
  | { readonly type: 'pins'; readonly label: string; readonly pins: readonly LockedPin[]; readonly notCovered?: readonly string[] };

/** An index document of a package, as upstream has it now. */
export interface CurrentDocument {
  readonly bytes: Uint8Array;
  readonly url: string;
  readonly contentType: string;
  readonly document: PackageDocument;
}

/** A file that says what is needed, and not which versions that came to. */
export interface Manifest {
  readonly fileName: string;
  /** The command that makes a lock of it, for people. */
  readonly locksBy: string;
}
/** How wishes are written in this ecosystem. Pure. */
export interface DemandRules {
  /** `pkg:pypi/flask`, `pkg:pypi/flask@3.0.3`, `pkg:pypi/flask?vers=…` or a requirement; undefined when it isn't of this ecosystem. Throws EcosystemError `bad-spec`. */
  wishOfPurl(text: string): Wish | undefined;
  /** Does a file of this name hold a lock of this ecosystem? */
  isLockfile(fileName: string): boolean;
  wishOfLockfile(fileName: string, bytes: Uint8Array): Wish;
  /** What stands beside a lock, and can't be watched without one: ranges may come to other versions for everybody. */
  readonly manifests?: readonly Manifest[];
  packageOfPin(pin: Pin): Purl;
  /** Does a requirement of {@link wishOfPurl} take this version? Left out where that can't be told without upstream. */
  admits?(requirement: string, version: string): boolean;
  /** A release that an SBOM names; undefined when it isn't of this ecosystem or names no version. */
  pinOfPurl(purl: Purl): Pin | undefined;
  /** Exact versions that an install of these requirements on any platform may take. Left out where the site's Resolver does it. */
  resolve?(requirements: readonly string[], current: (packagePurl: Purl) => Promise<CurrentDocument | undefined>, upstream: AskUpstream): Promise<Resolution>;
}

export interface DiscoveredUpstream {
  readonly index: string;
  /** Origins of hosts that only hold files. */
  readonly files: readonly string[];
  /** What else decides what is trusted, by the package manager's own names. */
  readonly settings?: Readonly<Record<string, string>>;
}
/** How to learn where this machine's own package manager gets its packages. Pure: the caller runs the command. */
export interface Discovery {
  /** Prints what {@link Discovery.parse} reads; inherits the user's environment, so that their own settings count. */
  readonly argv: readonly [string, ...string[]];
  /** Undefined when the output says nothing usable. */
  parse(output: string): DiscoveredUpstream | undefined;
  /** Left out where the package manager keeps its credentials in netrc alone. */
  readonly credentials?: DiscoveredCredentials;
}
/** What this machine's package manager shows an index. Secret: it is sent to the index's origin, and stands nowhere else. */
export interface DiscoveredCredentials {
  readonly argv: readonly [string, ...string[]];
  /** As `Authorization`, for an index with a slash at its end; undefined when it shows none. */
  parse(output: string, index: string): string | undefined;
}
/** What a root filesystem is made of, beside what is in every one: packages of the distribution, and tools that the registry itself carries. */
export interface Toolset {
  /** Packages of the root filesystem. */
  readonly systemPackages: readonly string[];
  /** Tools, by package; the newest release that this platform can install is taken once and then kept. */
  readonly tools: readonly Purl[];
  /** Of a tool's index: the file to take. */
  select(document: PackageDocument): UpstreamArtifact | undefined;
  /** Files to place into the root filesystem. */
  unpack(artifact: Artifact, bytes: Uint8Array): Promise<readonly { readonly path: string; readonly bytes: Uint8Array }[]>;
}
/** What builds need. */
export interface Toolchain extends Toolset {
  /** Version of the runtime, from the versions of the root filesystem's packages and of the tools, by the last part of their package's name. */
  runtimeVersion(systemPackages: readonly { readonly name: string; readonly version: string }[], tools: ReadonlyMap<string, string>): string | undefined;
  /** What that most often is, for those who have no root filesystem and only want to know what something would come to. */
  readonly usualRuntimeVersion: string;
}

/** How an ecosystem's artifacts are rebuilt, and what that needs. */
export interface Rebuilding {
  readonly strategy: RebuildStrategy;
  /** Left out where nothing runs. */
  readonly toolchain?: Toolchain;
  /** Left out where the site's Resolver isn't needed. */
  readonly candidate?: CandidateRules;
  /** Exact versions of what a build needs, as they were published by `before`, where the site's Resolver doesn't do it. */
  resolve?(
    wanted: { readonly requirements: readonly string[]; readonly before: Instant },
    current: (packagePurl: Purl) => Promise<CurrentDocument | undefined>,
    upstream: AskUpstream,
  ): Promise<Resolution>;
  /** How two files of this name are compared; undefined when they can't be. */
  rulesOf(fileName: string): ArtifactRules | undefined;
}

/** Where an ecosystem's attestations of source lie, and in which form. Pure. */
export interface AttestationRules {
  /** The companion that has them. */
  readonly companion: string;
  /** Name of the evidence that the index gives of them. */
  readonly check: string;
  /** Sigstore bundles (JSON, as untrusted as it came), at most 32. Throws EcosystemError `malformed`. */
  bundlesOf(document: Uint8Array): readonly unknown[];
}

/** Everything that is particular to one ecosystem. Nothing outside its folder knows it by name. */
export interface Ecosystem {
  /** The purl type. */
  readonly id: string;
  readonly discovery: Discovery;
  readonly index: PackageIndex;
  /** Empty when it can't be read. */
  declared(artifact: Artifact, bytes: Uint8Array): Promise<Declared>;
  /** Checks that need more than a digest of the bytes. Throws EcosystemError `mismatch`: then nothing is stored under the name. */
  check?(request: CheckRequest): Promise<Checked>;
  /** Left out where upstream has none. */
  readonly attestations?: AttestationRules;
  readonly demand: DemandRules;
  readonly views: Views;
  /** Left out where nothing can be rebuilt: every verdict is `unsupported`. */
  readonly rebuilding?: Rebuilding;
  /** Left out where installing runs no code of packages, or can't be tried yet. */
  readonly installing?: Installing;
}
export type RebuildableEcosystem = Ecosystem & { readonly rebuilding: Rebuilding };
/** One whose requirements the site's Resolver resolves, on the candidate view. */
export type ResolverEcosystem = Ecosystem & { readonly rebuilding: Rebuilding & { readonly toolchain: Toolchain; readonly candidate: CandidateRules } };

export function isRebuildable(ecosystem: Ecosystem): ecosystem is RebuildableEcosystem {
  return ecosystem.rebuilding !== undefined;
}
export function usesResolver(ecosystem: Ecosystem): ecosystem is ResolverEcosystem {
  return ecosystem.rebuilding?.toolchain !== undefined && ecosystem.rebuilding.candidate !== undefined;
}

/** May this artifact be rebuilt at all? */
export function rebuildEligibility({ rebuilding }: Pick<Ecosystem, 'rebuilding'>, artifact: Artifact): Eligibility {
  return rebuilding === undefined ? { ok: false, failureClass: 'unsupported-ecosystem' } : rebuilding.strategy.eligible(artifact);
}

export type EcosystemCode = 'malformed' | 'bad-spec' | 'unsupported' | 'mismatch';
export class EcosystemError extends Error {
  override readonly name = 'EcosystemError';
  readonly code: EcosystemCode;
  constructor(code: EcosystemCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
