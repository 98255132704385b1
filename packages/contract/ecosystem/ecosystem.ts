import type { ArtifactRules } from '@granary/core/compare';
import type { Artifact, Digests, Evidence, Purl } from '@granary/core/model';
import type { Pin } from '../ports/index.ts';
import type { RebuildStrategy } from './rebuild.ts';
import type { Views } from './views.ts';

/** One file in an upstream's index: what it can be checked by, and where it lies. */
export interface UpstreamArtifact extends Artifact {
  /** Absolute; resolved against the document's own address. */
  readonly url: string;
  readonly digests: Digests;
  readonly yanked: boolean;
  /** What follows from the index once the digests were checked. */
  readonly evidence: readonly Evidence[];
  /** Documents beside the artifact that upstream offers, such as its provenance: stored with it. */
  readonly companions: readonly { readonly name: string; readonly url: string; readonly accept: string }[];
}
/** An index document of one package, parsed. */
export interface PackageDocument {
  readonly package: Purl;
  readonly artifacts: readonly UpstreamArtifact[];
  /** Files that could not be taken in and why: an unknown name, no digest. Recorded, never dropped silently. */
  readonly refused: readonly { readonly fileName: string; readonly why: string }[];
}

/** Which documents there are upstream, and what they say. Pure. */
export interface PackageIndex {
  readonly accept: string;
  readonly maxDocumentBytes: number;
  documentUrl(upstreamBase: string, packagePurl: Purl): string;
  /** Throws EcosystemError `malformed`. */
  parse(bytes: Uint8Array, source: { readonly url: string; readonly contentType: string; readonly package: Purl }): PackageDocument;
}

/** What an artifact says of itself. Untrusted. */
export interface Declared {
  /** SPDX expression. */
  readonly licence?: string;
  /** Its own metadata document, when the ecosystem serves that apart from the artifact. */
  readonly metadata?: Uint8Array;
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

/** One thing that somebody wants kept. */
export type Wish =
  | { readonly type: 'requirements'; readonly label: string; readonly requirements: readonly string[] }
  | { readonly type: 'pins'; readonly label: string; readonly pins: readonly (Pin & { readonly sha256: readonly string[] })[] };

/** How wishes are written in this ecosystem. Pure. */
export interface DemandRules {
  /** `pkg:pypi/flask`, `pkg:pypi/flask@3.0.3`, `pkg:pypi/flask?vers=…` or a requirement; undefined when it isn't of this ecosystem. Throws EcosystemError `bad-spec`. */
  wishOfPurl(text: string): Wish | undefined;
  /** Does a file of this name hold a lock of this ecosystem? */
  isLockfile(fileName: string): boolean;
  wishOfLockfile(fileName: string, bytes: Uint8Array): Wish;
  /** The requirement line that means exactly this package. */
  requirementOf(pin: Pin): string;
  packageOfPin(pin: Pin): Purl;
}

/** How to learn where this machine's own package manager gets its packages. Pure: the caller runs the command. */
export interface Discovery {
  /** Prints what {@link Discovery.parse} reads; inherits the user's environment, so that their own settings count. */
  readonly argv: readonly [string, ...string[]];
  /** Undefined when the output says nothing usable. `files` are origins of hosts that only hold files. */
  parse(output: string): { readonly index: string; readonly files: readonly string[] } | undefined;
}
/** What builds need beside packages of the root filesystem: tools that the registry itself carries. */
export interface Toolchain {
  /** Packages of the root filesystem. */
  readonly systemPackages: readonly string[];
  /** Tools, by package; the newest release that this platform can install is taken once and then kept. */
  readonly tools: readonly Purl[];
  /** Of a tool's index: the file to take. */
  select(document: PackageDocument): UpstreamArtifact | undefined;
  /** Files to place into the root filesystem. */
  unpack(artifact: Artifact, bytes: Uint8Array): Promise<readonly { readonly path: string; readonly bytes: Uint8Array }[]>;
  /** Version of the runtime, from the versions of the root filesystem's packages. */
  runtimeVersion(systemPackages: readonly { readonly name: string; readonly version: string }[]): string | undefined;
}

/** Everything that is particular to one ecosystem. Nothing outside its folder knows it by name. */
export interface Ecosystem {
  /** The purl type, and the prefix under which it is served. */
  readonly id: string;
  readonly discovery: Discovery;
  readonly toolchain: Toolchain;
  readonly index: PackageIndex;
  readonly candidate: CandidateRules;
  /** Empty when it can't be read. */
  declared(artifact: Artifact, bytes: Uint8Array): Promise<Declared>;
  readonly demand: DemandRules;
  readonly rebuild: RebuildStrategy;
  readonly views: Views;
  /** How two files of this name are compared; undefined when they can't be. */
  rulesOf(fileName: string): ArtifactRules | undefined;
}

export type EcosystemCode = 'malformed' | 'bad-spec' | 'unsupported';
export class EcosystemError extends Error {
  override readonly name = 'EcosystemError';
  readonly code: EcosystemCode;
  constructor(code: EcosystemCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
