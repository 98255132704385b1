import type { ReaderId } from '@granary/core/access';
import type { Sha256 } from '@granary/core/model';

/** Who may read, where not everybody may. Held in memory: every request asks. */
export interface Readers {
  /** Digest of the reader's token; undefined when nobody has that id, or no longer. */
  tokenOf(id: ReaderId): Sha256 | undefined;
  /** Another number after every change. */
  revision(): number;
}
