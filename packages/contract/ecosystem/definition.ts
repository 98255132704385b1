import type { Digests, Instant, Json, Purl, Sha256, SourceTier } from '@granary/core/model';
import type { SandboxLimits } from '../ports/index.ts';

/** A value read from the published artifact (a tool's version, a time stamp). Costs no rung, but is said. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
  /** Where it was read: `WHEEL Generator`, `zip time stamps`. */
  readonly from: string;
}
/** Content taken from the published artifact: makes the result `assisted`. */
export interface Assist {
  readonly path: string;
  readonly sha256: Sha256;
  readonly why: string;
}
/** A source archive that the publisher made. */
export interface ArchiveSource {
  readonly kind: 'archive';
  readonly tier: Extract<SourceTier, 'publisher-archive'>;
  readonly purl: string;
  readonly fileName: string;
  readonly sha256: Sha256;
}
/** A commit of a mirrored repository. */
export interface CommitSource {
  readonly kind: 'commit';
  readonly tier: Exclude<SourceTier, 'publisher-archive'>;
  /** `pkg:git/<host>/<path>` */
  readonly repository: Purl;
  readonly commit: string;
  /** Of the package, below the repository's root; left out for the root itself. */
  readonly directory?: string;
  /** The tar that its tree becomes (LocalRepository.archive): made from the held packs wherever it is needed. */
  readonly fileName: string;
  readonly sha256: Sha256;
}
export type RebuildSource = ArchiveSource | CommitSource;
export interface DefinitionPhase {
  readonly name: 'fetch' | 'build';
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly network: 'mirror' | 'none';
  readonly timeoutMs: number;
}

export type BuildMethod = 'build' | 'source-files';

/** A file of the build closure, by what its index states of it: its sha256, or what it states instead. */
export interface BuildInput {
  readonly purl: string;
  readonly fileName: string;
  readonly sha256?: Sha256;
  readonly digests?: Digests;
}

/**
 * How to rebuild one artifact. Immutable, addressed by the digest of its canonical JSON. A function of its
 * input: it holds no time of planning and no author.
 */
export interface Definition {
  readonly granary: 1;
  readonly type: 'definition';
  readonly engine: number;
  readonly target: { readonly purl: string; readonly fileName: string; readonly sha256: Sha256 };
  readonly source: RebuildSource;
  /** `source-files`: nothing runs; the files of the package are looked for in the source. `build` where left out. */
  readonly method?: BuildMethod;
  /** Left out where nothing runs. */
  readonly environment?: { readonly rootfs: Sha256; readonly architecture: string };
  /** What the build's registry showed: everything published up to then. */
  readonly registry: { readonly ecosystem: string; readonly asOf: Instant };
  /** Exact build closure: fetched from the mirror by name, checked by digest. */
  readonly buildClosure: readonly BuildInput[];
  /** Small files put into the work dir, by relative path. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** Empty where nothing runs. */
  readonly phases: readonly DefinitionPhase[];
  readonly outputDir: string;
  readonly limits: SandboxLimits;
  readonly parameters: readonly Parameter[];
  readonly assists: readonly Assist[];
  /** What was inferred and why, for people: `setuptools 68.2.2: METADATA shape`. */
  readonly notes: readonly string[];
  /** `written`: an operator wrote some of it down, `basis` says where. */
  readonly origin: 'inferred' | 'written';
  /** The operator's file, below the folder of definitions, with its digest; and what of it is about this release. All of them are blobs. */
  readonly basis?: { readonly file: string; readonly sha256: Sha256; readonly record: Sha256 };
}

export function definitionJson(definition: Definition): Json {
  return JSON.parse(JSON.stringify(definition));
}
