import type { Digests, Sha256 } from './digest.ts';
import type { Purl } from './purl.ts';
import type { Instant } from './time.ts';

/** One file of a release, as its ecosystem's index or a lockfile names it. */
export interface Artifact {
  /** With `file_name`: `pkg:pypi/click@8.1.7?file_name=click-8.1.7-py3-none-any.whl`. */
  readonly purl: Purl;
  readonly fileName: string;
  /** What its bytes must be. Empty where nobody states it before the bytes are there. */
  readonly digests: Digests;
  readonly sizeBytes?: number;
  /** Path under the ecosystem's prefix at which clients ask for it; upstream's own where it can be kept. */
  readonly path: string;
  /** When upstream says that it was published. */
  readonly publishedAt?: Instant;
}

/** One whose bytes are named by their sha256: it is stored, or upstream states it. */
export interface PinnedArtifact extends Artifact {
  readonly sha256: Sha256;
}

export function pinned(artifact: Artifact): PinnedArtifact | undefined {
  const { sha256 } = artifact.digests;
  return sha256 === undefined ? undefined : { ...artifact, sha256 };
}

/** Who asked for an artifact: what is installed, or what only builds need. */
export type WantedRole = 'install' | 'build';

/** State of one integrity check that an ecosystem offers; `unchecked` never counts. */
export type Evidence =
  | { readonly check: string; readonly state: 'checked'; readonly by?: string }
  | { readonly check: string; readonly state: 'absent' }
  | { readonly check: string; readonly state: 'unchecked'; readonly why: string };
