import type { Comparison } from '../compare/comparison.ts';
import type { Cause, FailureClass, Json, Sha256, SourceFinding, SourceTier, Verdict } from '../model/index.ts';
import type { Subject } from './statement.ts';

/** One thing that a rebuild fetched, as it was recorded. */
export interface FetchedFile {
  /** `pkg:pypi/setuptools@69.0.3?file_name=…`, where it is known. */
  readonly purl?: string;
  /** Where in the mirror it was asked for. */
  readonly url: string;
  readonly sha256: Sha256;
  readonly sizeBytes?: number;
  /** Of a tree of a repository: the id of its commit. `sha256` is that of the tar that it becomes. */
  readonly gitCommit?: string;
}

/** Something content was taken from the published artifact for: it makes the result `assisted`. */
export interface Assist {
  readonly path: string;
  readonly sha256: Sha256;
}

/** The file a rebuild made, and everything it was made from. */
export interface RebuiltFile {
  readonly subject: Subject;
  readonly definition: Sha256;
  /** Digest of the root filesystem's tar. */
  readonly rootfs: Sha256;
  readonly fetched: readonly FetchedFile[];
  /** How it is built; default: {@link BUILD_TYPE_WHEEL_FROM_SDIST}. */
  readonly buildType?: string;
  /** What was read from the published artifact, or chosen, to build it: recorded, costs no rung. */
  readonly parameters?: { readonly [name: string]: Json };
  readonly assists?: readonly Assist[];
}

/** The policy that the summary speaks for. */
export interface JudgedPolicy {
  readonly uri: string;
  readonly digest: Sha256;
  readonly met: boolean;
}

/** A verdict with all it rests on: what the statements of one artifact are a function of. */
export interface Judged {
  /** The published file. */
  readonly subject: Subject;
  /** Fact key of the verdict. */
  readonly verdictKey: Sha256;
  readonly verdict: Verdict;
  readonly sourceTier?: SourceTier;
  readonly failureClass?: FailureClass;
  readonly cause?: Cause;
  /** What the verdict stands on, where that is known: an archive, or a commit. */
  readonly source?: FetchedFile;
  /** What its sources say against each other. */
  readonly findings?: readonly SourceFinding[];
  /** Present once something was built, whatever came of it. */
  readonly rebuilt?: RebuiltFile;
  /** Present when both files could be read; `blob` is the digest of the stored comparison. */
  readonly compared?: { readonly comparison: Comparison; readonly blob: Sha256 };
  readonly policy: JudgedPolicy;
}
