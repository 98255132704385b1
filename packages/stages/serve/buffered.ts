/** Bytes kept in memory, which are given back the moment nobody needs them: waiting for the collector would let a busy cache hold several times its bound. */
export interface Buffered {
  readonly sizeBytes: number;
  /** The bytes, for one answer, which calls `release` once when it needs them no longer. Undefined when they are gone. */
  use(): BytesInUse | undefined;
  /** The cache has let go of them. */
  drop(): void;
}

interface BytesInUse {
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

export function buffered(bytes: Uint8Array): Buffered {
  let users = 0;
  let dropped = false;
  let gone = false;
  const settle = () => {
    if (!dropped || users > 0) return;
    gone = true;
    // Detached memory is freed at once. Only where it is ours alone: not a window into somebody's pool.
    if (bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength) bytes.buffer.transfer(0);
  };
  return {
    sizeBytes: bytes.length,
    use() {
      if (gone) return undefined;
      users += 1;
      return {
        bytes,
        release() {
          users -= 1;
          settle();
        },
      };
    },
    drop() {
      dropped = true;
      settle();
    },
  };
}
