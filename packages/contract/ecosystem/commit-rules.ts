import type { DifferingFile, DocumentNormalizer, SourceFile } from '@granary/core/compare';
import type { Artifact, Cause, Instant, Purl } from '@granary/core/model';

/** What a manifest says of itself. Untrusted. */
export interface CommitManifest {
  /** As it is written; left out where it stands elsewhere. */
  readonly name?: string;
  /** Left out where the manifest leaves it to a tag, a workspace or a tool. */
  readonly version?: string;
}

/** What a version says of the commit that it was made from: a weak name, to be borne out by what stands in the commit. */
export interface NamedCommit {
  /** The first digits of its id, at least 7, in lower-case hexadecimal. */
  readonly idPrefix: string;
  /** Of its committer, to the second; another commit whose id begins so isn't meant. */
  readonly committedAt: Instant;
}

/** What a file of a release that is no archive is made of. */
export interface DocumentSource {
  /** What was published: what is made follows it in form alone. Untrusted. */
  readonly published: Uint8Array;
  /** What stands at the first of its places (`placesOf`) that the tree has; `unreadable` where that is too large, or no file. */
  readonly file: Uint8Array | 'absent' | 'unreadable';
  /** Of the package, `''` for the root. */
  readonly directory: string;
  readonly commit: string;
  /** As its committer says, to the second. */
  readonly committedAt: Instant;
}
/** A file of a release that is no archive, as a function of a commit. Pure. */
export interface CommitDocument {
  /** Undefined where a commit such as this gives none. */
  make(target: Artifact, source: DocumentSource): Uint8Array | undefined;
  /** Applied to both sides, in this order, where their bytes differ. */
  readonly normalizers: readonly DocumentNormalizer[];
  /** Why what was published may differ from what was made; left out where nothing excuses that. */
  causeOf?(file: DifferingFile): Cause | undefined;
}

/** How a commit of a repository is known to be the one that a release was made from. Pure. */
export interface CommitRules {
  /** Names that a tag may put before the version, the most telling first: `@scope/name`, `name`. */
  aliases(target: Artifact): readonly string[];
  /** The version as tags write it, the usual form first and without a leading `v`: `2026.4.22`, `2026.04.22`. */
  versions(target: Artifact): readonly string[];
  /**
   * The commit that the version itself names: Go's pseudo-versions have its time and twelve digits of its id, and no tag. Undefined for any other version; left out where versions
   * never do. It is looked up among all commits that are held, and counts like one that the package names: evidence `embedded`; where there is none, that is the finding
   * `claimed-commit-missing`.
   */
  commitNamed?(target: Artifact): NamedCommit | undefined;
  /**
   * The file of the same release whose `stored` fact says where all of it comes from, and when it was made: a Go module's zip says neither, and its `.info` both. Left out where
   * each file speaks for itself.
   */
  claimedBy?(target: Artifact): Purl;
  /** Repositories that its name alone says it may be from, the likeliest first: looked into where they are mirrored, and none that anything else names is. */
  mayLieIn?(target: Artifact): readonly Purl[];
  /**
   * Files of the same release that tell more of its commit than this one, best first: where one of them is held, this one is of the commit that was found for that. Left out where
   * each file is looked for by itself.
   */
  locatedWith?(target: Artifact): readonly Purl[];
  /** How a file of this name is made of a commit, where that is no archive; undefined for archives. Left out where releases have nothing else. */
  documentOf?(fileName: string): CommitDocument | undefined;
  /** What comparing its files with a commit's comes to is the verdict: nothing is built of one. */
  readonly filesDecide?: true;
  /** Names of the files that a package's manifest may have, best first. */
  readonly manifests: readonly string[];
  /** Undefined for what is no manifest of a package. Bytes of at most 1 MiB. */
  readManifest(fileName: string, bytes: Uint8Array): CommitManifest | undefined;
  /** Does a manifest speak of this artifact? With what it leaves out, it may. */
  isOf(target: Artifact, manifest: CommitManifest): boolean;
  /**
   * Where an entry of the published archive may stand in the tree, best first: paths below the repository's root. Empty for an entry that no tree has. Of what is no archive the
   * file's own name is the entry.
   * `directory` is the package's, `''` for the root.
   */
  placesOf(target: Artifact, entryPath: string, directory: string): readonly string[];
  /**
   * The archive's files as a function of the tree: entry path to path in the tree. Left out where publishing does more than choose files. Undefined
   * where the tree can't be published.
   */
  filesOf?(target: Artifact, tree: readonly SourceFile[], directory: string): ReadonlyMap<string, string> | undefined;
}
