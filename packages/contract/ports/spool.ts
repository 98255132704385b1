/** Bytes on their way, read by several while one writes them. They go with the process, and leave nothing behind. */
export interface Spool {
  /** Resolves when they can be read. One at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /** Some of what was appended from there on, at most `maxBytes`; empty at the end. May run at the same time as everything else. */
  read(position: number, maxBytes: number): Promise<Uint8Array>;
  /** Frees what it takes. */
  close(): Promise<void>;
}
