import type { Cause, Rung, Sha256 } from '../model/index.ts';

/** A normalizer by name and version: a change of what it does is a new version. */
export interface NormalizerRef {
  readonly name: string;
  readonly version: number;
  /** Why it may be applied without weakening the claim. */
  readonly reason: string;
}

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
  readonly code: Cause | 'duplicate-entry' | 'setuid-entry' | 'crlf' | 'unsafe-path';
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
  /** Normalizers that changed a byte on either side and without which the rung would not hold. */
  readonly needed: readonly NormalizerRef[];
  /** Digest of the normalized form, equal on both sides when `rung` is `equivalent`. */
  readonly normalizedSha256?: Sha256;
  readonly residue: readonly Difference[];
  /** How many differences were left out of `residue` because of its limit. */
  readonly residueOmitted: number;
  readonly findings: readonly Finding[];
}
