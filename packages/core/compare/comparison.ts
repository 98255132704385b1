import type { Cause, Rung, Sha256 } from '../model/index.ts';
import type { NormalizerRef } from '../normalize/index.ts';

export type DifferenceKind = 'only-upstream' | 'only-rebuild' | 'content' | 'mode' | 'type' | 'link' | 'order' | 'metadata';
/** One entry of the residue. */
export interface Difference {
  readonly path: string;
  readonly kind: DifferenceKind;
  readonly cause?: Cause;
  readonly detail?: string;
  /** Unified diff of text files, cut at a limit that is said in the diff. */
  readonly diff?: string;
}
/** Something a reader must know though the ladder held: a wrong RECORD, CRLF, a duplicate. */
export interface Finding {
  readonly code: Cause | 'duplicate-entry' | 'setuid-entry' | 'device-entry' | 'crlf' | 'unsafe-path' | 'unreadable-archive';
  readonly side: 'upstream' | 'rebuild' | 'both';
  readonly path?: string;
  readonly detail: string;
}

/** Outcome of a comparison: the first rung that holds, or what is left. */
export interface Comparison {
  readonly upstream: Sha256;
  readonly rebuild: Sha256;
  readonly rung: Rung | 'none';
  /** Digest of the ordered list of normalizer names and versions. */
  readonly ruleset: Sha256;
  /** The smallest set of normalizers, found by leaving out one after the other, that removes the differences which all of them together remove. Empty on `identical`, `identical-content` and `none`. */
  readonly needed: readonly NormalizerRef[];
  /** Digest of the normalized list of files (path, type, exec bit, link, digest), the same on both sides; on `identical-content`, `identical-files` and `equivalent`. */
  readonly normalizedSha256?: Sha256;
  readonly residue: readonly Difference[];
  /** How many differences were left out of `residue` because of its limit. */
  readonly residueOmitted: number;
  readonly findings: readonly Finding[];
}
