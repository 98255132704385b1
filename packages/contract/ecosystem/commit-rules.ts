import type { SourceFile } from '@granary/core/compare';
import type { Artifact } from '@granary/core/model';

/** What a manifest says of itself. Untrusted. */
export interface CommitManifest {
  /** As it is written; left out where it stands elsewhere. */
  readonly name?: string;
  /** Left out where the manifest leaves it to a tag, a workspace or a tool. */
  readonly version?: string;
}

/** How a commit of a repository is known to be the one that a release was made from. Pure. */
export interface CommitRules {
  /** Names that a tag may put before the version, the most telling first: `@scope/name`, `name`. */
  aliases(target: Artifact): readonly string[];
  /** The version as tags write it, the usual form first and without a leading `v`: `2026.4.22`, `2026.04.22`. */
  versions(target: Artifact): readonly string[];
  /** Names of the files that a package's manifest may have, best first. */
  readonly manifests: readonly string[];
  /** Undefined for what is no manifest of a package. Bytes of at most 1 MiB. */
  readManifest(fileName: string, bytes: Uint8Array): CommitManifest | undefined;
  /** Does a manifest speak of this artifact? With what it leaves out, it may. */
  isOf(target: Artifact, manifest: CommitManifest): boolean;
  /**
   * Where an entry of the published archive may stand in the tree, best first: paths below the repository's root. Empty for an entry that no tree has.
   * `directory` is the package's, `''` for the root.
   */
  placesOf(target: Artifact, entryPath: string, directory: string): readonly string[];
  /**
   * The archive's files as a function of the tree: entry path to path in the tree. Left out where publishing does more than choose files. Undefined
   * where the tree can't be published.
   */
  filesOf?(target: Artifact, tree: readonly SourceFile[], directory: string): ReadonlyMap<string, string> | undefined;
}
