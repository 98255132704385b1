import type { Archive } from '../archive/index.ts';

/** A normalizer by name and version: a change of what it does is a new version. */
export interface NormalizerRef {
  readonly name: string;
  readonly version: number;
  /** Why it may be applied without weakening the claim. */
  readonly reason: string;
}

/** Something seen in one archive before any rule touched it. */
export interface Observation {
  readonly code: 'integrity-metadata-wrong' | 'crlf';
  readonly path?: string;
  readonly detail: string;
}

/** One named rule. All of it is a pure function of archives. */
export interface Normalizer {
  readonly ref: NormalizerRef;
  /** Asked of the published artifact alone, so that every rebuilder normalizes alike. */
  appliesTo(upstream: Archive): boolean;
  /** Checks the untouched archive. `integrity-metadata-wrong` keeps the rule from being applied on that side, and equivalence from holding. */
  inspect(original: Archive): readonly Observation[];
  /** Returns the very same object when it changes nothing. */
  apply(archive: Archive): Archive;
}
