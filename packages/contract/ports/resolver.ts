import type { Digests, Instant } from '@granary/core/model';

export interface ResolveRequest {
  /** PEP 508-like requirement lines, in the ecosystem's own form. */
  readonly requirements: readonly string[];
  readonly constraints?: readonly string[];
  /** Index of the candidate view on loopback. */
  readonly indexUrl: string;
  readonly before?: Instant;
  /** `3.11`; the closure for every platform when `universal`. */
  readonly runtimeVersion: string;
  readonly scope: 'this-platform' | 'universal';
  readonly signal?: AbortSignal;
}
export interface Pin {
  readonly name: string;
  readonly version: string;
  /** Where single files of a release are named: no others are wanted. */
  readonly files?: readonly { readonly fileName: string; readonly digests: Digests }[];
}
export type Resolution =
  /**
   * `notCovered`: what some version of them asks for and can't be had, one line each, for people. `asOf`: later than what was asked for, where a lock names releases that upstream dates later: they were there, and its times are those at which something took them in.
   */
  | { readonly ok: true; readonly pins: readonly Pin[]; readonly notCovered?: readonly string[]; readonly asOf?: Instant }
  /** `no-such-version`: a version that was asked for by its number isn't there, and asking again won't bring it. */
  | { readonly ok: false; readonly why: 'conflict' | 'unavailable' | 'no-such-version'; readonly detail: string };
/** Turns requirements into exact versions. Runs no code of any package. */
export interface Resolver {
  resolve(request: ResolveRequest): Promise<Resolution>;
}
