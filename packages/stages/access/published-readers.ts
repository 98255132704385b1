import type { ObjectStore, Readers } from '@granary/contract/ports';
import { parseReaderList, type ReaderList } from '@granary/core/access';
import { READERS_KEY } from '@granary/core/layout';
import { MAX_NOTE_BYTES, parseNote, TlogError, type VerifierKey, verifyNote } from '@granary/core/tlog';

/** Who may read, as a node knows it that sees nothing of the private side. */
export interface PublishedReaders extends Readers {
  /** Reads the list again. Throws StoreError; then what was known holds. */
  refresh(): Promise<void>;
  /** Why nobody may read yet; undefined once a list was read. */
  missing(): string | undefined;
}

/** Reads the list of a ledger's key. What isn't signed by it, or is older than what was read before, counts for nothing. */
export function openPublishedReaders(objects: Pick<ObjectStore, 'get'>, key: VerifierKey): PublishedReaders {
  let list: ReaderList | undefined;
  return {
    tokenOf: (id) => list?.readers.get(id),
    revision: () => list?.version ?? -1,
    async refresh() {
      const bytes = await objects.get(READERS_KEY, MAX_NOTE_BYTES);
      const read = bytes === undefined ? undefined : openReaderList(bytes, key);
      if (read !== undefined && read.version > (list?.version ?? -1)) list = read;
    },
    missing: () => (list === undefined ? 'no list of readers is published: granary reader add makes the first, and the sequencer publishes it' : undefined),
  };
}

/** Undefined for what isn't such a list, or not signed by the key. */
export function openReaderList(bytes: Uint8Array, key: VerifierKey): ReaderList | undefined {
  try {
    const note = parseNote(bytes);
    verifyNote(note, [key]);
    const list = parseReaderList(note.text);
    return list?.origin === key.name ? list : undefined;
  } catch (error) {
    if (error instanceof TlogError) return undefined;
    throw error;
  }
}
