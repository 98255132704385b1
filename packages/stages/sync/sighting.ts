import type { PackageDocument, UpstreamArtifact } from '@granary/contract/ecosystem';
import type { Observation } from './observe.ts';

/** A look at upstream's index of a package, as far as it has come. Nobody has to wait for any of it. */
export interface Sighting {
  /** What upstream sent, as soon as it is read. Undefined where there is nothing to read: no such package, or what is on record stands. */
  readonly document: Promise<PackageDocument | undefined>;
  /** Its facts are durable: they outlive this process. */
  readonly recorded: Promise<Observation>;
  /** They are sequenced and folded too. */
  readonly settled: Promise<Observation>;
}

/** What is known of a package and need not be on record yet. */
export interface Sighted {
  readonly document: PackageDocument;
  /** Rejects when that couldn't be made durable. */
  readonly recorded: Promise<unknown>;
}

/** What upstream says of a file by its release alone. */
export interface Stated {
  readonly artifact: UpstreamArtifact;
  /** As it was sent. */
  readonly statement: { readonly url: string; readonly text: string };
}
