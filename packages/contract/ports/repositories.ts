import type { ConfigEntry } from '@granary/core/git';
import type { Instant, Sha256 } from '@granary/core/model';

/** A pack as it lies in the store: complete in itself, with its index (gitformat-pack 5). */
export interface StoredPack {
  readonly pack: Sha256;
  readonly index: Sha256;
}

/** What fsck says of an object and a mirror keeps all the same: old histories have much of it. */
export interface FsckFinding {
  readonly objectId: string;
  /** git's own message id, such as `badTimezone`. */
  readonly messageId: string;
}
export interface TakenPack extends StoredPack {
  readonly sizeBytes: number;
  readonly objects: number;
  /** At most 100; `findingsTotal` counts all. */
  readonly findings: readonly FsckFinding[];
  readonly findingsTotal: number;
}

/** A file, a link or a submodule of a tree. */
export interface TreeEntry {
  /** Below the root, `/`-separated, as git has it: untrusted. */
  readonly path: string;
  readonly type: 'file' | 'link' | 'submodule';
  readonly isExecutable: boolean;
  readonly objectId: string;
  /** 0 for submodules. */
  readonly sizeBytes: number;
}
export interface DatedCommit {
  readonly objectId: string;
  /** As its committer says; 1970 where that is no time of the years up to 9999. */
  readonly committedAt: Instant;
}

export interface PackLimits {
  /** Of the pack as it comes, and of what it becomes once it is complete. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** What a client of smart HTTP asked (gitprotocol-http, gitprotocol-v2). What answers `advertise` begins with the line that names the service where the protocol has one. */
export interface UploadPackRequest {
  readonly operation: 'advertise' | 'upload-pack';
  /** The client's `Git-Protocol` header; nothing but `version=N` pairs is passed on. */
  readonly protocol?: string;
  /** The body, decoded; empty for `advertise`. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** Names of refs and what they point to. `HEAD` is symbolic where `head` is given. */
export interface ShownRefs {
  readonly refs: ReadonlyMap<string, string>;
  /** The branch that HEAD names, such as `refs/heads/main`. */
  readonly head?: string;
}

/**
 * A repository's objects on this machine, in a folder that may be deleted at any time. Native git works on it, without a network,
 * without configuration, hooks and credentials. All methods may run at the same time.
 */
export interface LocalRepository {
  /**
   * Takes a pack in as it comes from upstream: read once, completed where it is thin, checked by fsck, with everything that `tips` reach
   * there, and only then put into the store. Whatever fails leaves neither store nor folder changed. Throws RepositoryError.
   */
  take(pack: AsyncIterable<Uint8Array>, tips: readonly string[], limits: PackLimits & { readonly signal?: AbortSignal }): Promise<TakenPack>;
  /** Those of the objects that are here. */
  having(objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** For each pair: is everything that `before` names part of the history of `after`? False when either isn't a commit, or a tag of one. */
  areAncestors(pairs: readonly { readonly before: string; readonly after: string }[]): Promise<readonly boolean[]>;
  /** Commits in the history of these objects and themselves, newest first, at most `max`: what an upstream may still know that threw the newest away. */
  history(objectIds: readonly string[], max: number): Promise<readonly string[]>;
  /** What each object id comes to when tags are followed; undefined for what isn't here. */
  peel(objectIds: readonly string[]): Promise<ReadonlyMap<string, { readonly objectId: string; readonly type: 'commit' | 'tree' | 'blob' }>>;
  /**
   * What stands in a commit's tree (tags are followed), in git's order, without folders; there may be as many of these. Names that are no UTF-8 can't be put down, nor asked for:
   * their entries are left out, so that a package's file of such a name is found nowhere. Throws RepositoryError `too-large` where there is more, or a path is longer than 4096
   * bytes; `incomplete` where the commit isn't here; `malformed` where it is no commit.
   */
  tree(commit: string, limits: { readonly maxEntries: number }): Promise<readonly TreeEntry[]>;
  /** Ids of what stands at a path in a commit (`''` is its root), in the order of the questions; undefined where nothing does, or a submodule. */
  objectsAt(questions: readonly { readonly commit: string; readonly path: string }[]): Promise<readonly (string | undefined)[]>;
  /** Whole blobs by id; those that aren't here, are no blobs, or are larger than `maxBytes` are left out. Throws RepositoryError `too-large` where the others have more than 256 MiB together. */
  blobs(objectIds: readonly string[], limits: { readonly maxBytes: number }): Promise<ReadonlyMap<string, Uint8Array>>;
  /**
   * Hands `read` the contents of the files, each once, that have a size of `minBytes` to `maxBytes` and stand in the trees of these commits (tags are followed), or are named
   * themselves; the bytes are valid until it returns. What a repository has of them isn't held at once. Throws RepositoryError `too-large` where there are more than `maxFiles`,
   * `malformed` where a tip isn't here; and what `read` throws. By then some may have been read.
   */
  smallFiles(
    tips: readonly string[],
    limits: { readonly minBytes: number; readonly maxBytes: number; readonly maxFiles: number },
    read: (contents: Uint8Array) => void,
  ): Promise<void>;
  /** What a blob says in the format of git-config(1), in its order, as git reads it: it includes no other file. Throws RepositoryError `malformed`, `too-large`. */
  configuration(objectId: string, limits: { readonly maxBytes: number; readonly maxEntries: number }): Promise<readonly ConfigEntry[]>;
  /** Commits in the history of these objects, on all sides of merges, that changed something at or below a path (`''`: all commits), newest first, at most `max`. */
  commitsTouching(tips: readonly string[], path: string, max: number): Promise<readonly DatedCommit[]>;
  /**
   * Commits that are here, also those that no ref reaches any more, whose ids begin with these digits (lower-case hexadecimal, at least 7), at most 16. None for what isn't such
   * a beginning.
   */
  commitsNamed(idPrefix: string): Promise<readonly DatedCommit[]>;
  /** A commit as git has it (git-cat-file(1)): its headers and its message. Tags are followed. Throws RepositoryError `too-large`, `incomplete`, `malformed`. */
  commitObject(commit: string, limits: { readonly maxBytes: number }): Promise<Uint8Array>;
  /**
   * A tar (POSIX.1-2001) of a commit's tree: names, modes and bytes as git has them, whatever `.gitattributes` says, modified at the time of the commit, submodules as empty
   * folders. The same bytes on every machine. Tags are followed. Throws RepositoryError `too-large`, `incomplete`, `malformed`.
   */
  archive(commit: string, limits: { readonly maxBytes: number }): Promise<Uint8Array>;
  /**
   * Answers clone and fetch of these refs, with partial and shallow clones; objects of any other ref that was ever held can be asked for by id.
   * The stream is the whole body of gitprotocol-http's answer, and is destroyed or read to its end; it throws when the answer would not be whole.
   * Throws RepositoryError.
   */
  uploadPack(shown: ShownRefs, request: UploadPackRequest): Promise<AsyncIterable<Uint8Array>>;
}

/** Repositories on this machine, made from the store's packs. */
export interface Repositories {
  /**
   * Resolves when the folder of `name` holds all the given packs: what is missing is read from the store. `name` is the repository's own,
   * of any form. One folder per repository and object format, kept below a size that the driver was given: those asked for last are kept.
   */
  open(
    name: string,
    content: { readonly objectFormat: 'sha1' | 'sha256'; readonly packs: readonly StoredPack[]; readonly signal?: AbortSignal },
  ): Promise<LocalRepository>;
}

/** `malformed`, `too-large`, `timeout`, `fsck`, `incomplete`: what came is not taken in. `unavailable`: git is missing or too old, the disk is full. */
export type RepositoryCode = 'malformed' | 'too-large' | 'timeout' | 'fsck' | 'incomplete' | 'unavailable';
export class RepositoryError extends Error {
  override readonly name = 'RepositoryError';
  readonly code: RepositoryCode;
  constructor(code: RepositoryCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
