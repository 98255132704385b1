import { measureBlob } from '@granary/contract/blob';
import type { BlobExpectation, BlobStore, StoredBlob } from '@granary/contract/ports';

/** What is no larger is checked and kept in memory: a file and its folder take a disk longer than so many bytes. */
const SMALL_BYTES = 64 * 1024;

/** A place for one blob: the store where it is large, memory where it is small. */
export interface SmallHold {
  readonly put: (source: AsyncIterable<Uint8Array> | Uint8Array, expect: BlobExpectation) => Promise<StoredBlob>;
  /** All of what was put, where it is in memory and nowhere else. */
  readonly inMemory: () => Uint8Array | undefined;
}

/** Both check as a store does, and throw what it throws. */
export function holdSmall(blobs: Pick<BlobStore, 'put'>): SmallHold {
  let held: Uint8Array | undefined;
  return {
    inMemory: () => held,
    async put(source, expect) {
      const chunks = (source instanceof Uint8Array ? just(source) : source)[Symbol.asyncIterator]();
      try {
        const head = await readHead(chunks);
        if (!head.isAll) return await blobs.put(joined(head.read, chunks), expect);
        // A copy of its own: a small Buffer keeps alive what else lies in the 64 KiB that it is cut from.
        const bytes = new Uint8Array(Buffer.concat(head.read));
        const measured = measureBlob(expect);
        measured.update(bytes);
        const blob = measured.confirm();
        held = bytes;
        return blob;
      } finally {
        // Also where nobody came to read the rest.
        await chunks.return?.();
      }
    },
  };
}

async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<{ readonly read: readonly Uint8Array[]; readonly isAll: boolean }> {
  const read: Uint8Array[] = [];
  for (let sizeBytes = 0; sizeBytes <= SMALL_BYTES; sizeBytes += read.at(-1)?.length ?? 0) {
    const next = await chunks.next();
    if (next.done === true) return { read, isAll: true };
    read.push(next.value);
  }
  return { read, isAll: false };
}

async function* joined(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

async function* just(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
