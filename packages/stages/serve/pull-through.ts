import type { PackageDocument } from '@granary/contract/ecosystem';
import type { Artifact, Purl } from '@granary/core/model';

/** Why a client doesn't get what upstream may have, and the status that says so. */
export interface PullRefusal {
  readonly status: 403 | 501 | 502 | 503;
  /** Ends a sentence that names the package or file. */
  readonly why: string;
}
/** A file on its way, or one that couldn't be had. */
export type Pulled =
  | {
      readonly type: 'coming';
      readonly sizeBytes: number;
      /** Throws before the last byte unless all of them are what they should be. */
      readonly open: () => AsyncIterable<Uint8Array>;
      /** All of them, where they are checked and in memory. */
      readonly whole: Uint8Array | undefined;
    }
  | { readonly type: 'refused'; readonly refusal: PullRefusal };

/** What a view that fetches what is missing needs of whoever reaches upstream. */
export interface PullThrough {
  /** Undefined when the package, release or file may be fetched. */
  refusal(purl: Purl): PullRefusal | undefined;
  /** Makes what is on record of upstream's index of a package as new as it can be, within seconds; `stale` where that is not new. Never rejects. */
  look(packagePurl: Purl): Promise<{ readonly type: 'current' | 'absent' | 'stale' }>;
  /**
   * The same, without waiting for the record: what upstream listed is given, where it may not be on record yet. A file that a client asked
   * for may be asked for meanwhile, where `permits` says that of the one that it seems to be.
   */
  sight(
    packagePurl: Purl,
    asked: { readonly path: string; readonly permits: (purl: Purl) => boolean },
  ): Promise<{ readonly type: 'sighted'; readonly document: PackageDocument } | { readonly type: 'current' | 'absent' | 'stale' }>;
  /** Where files of these packages came for a client and may not show in the catalog yet: resolves when they do, or after a few seconds. */
  shown(packages: readonly Purl[]): Promise<unknown> | undefined;
  /** Begins to fetch, or joins whoever did. `whole`: resolves when all of it is checked and durable and, unless that takes too long, shows in the catalog. Rejects for faults of our own alone. */
  fetch(file: Pick<Artifact, 'purl' | 'digests' | 'sizeBytes' | 'path'>, until: 'bytes' | 'whole'): Promise<Pulled>;
}
