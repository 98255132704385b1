import { type BlobStore, type Spool, type StoredBlob, StoreError } from '@granary/contract/ports';

/** The last bytes wait until all were checked: nobody gets a whole file that is wrong. What is no larger than that needs no file to wait in. */
const HELD_BACK_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;

export interface FlightPorts {
  readonly openSpool: () => Promise<Spool>;
  readonly blobs: Pick<BlobStore, 'open'>;
}
/** A file that was checked and is durable. */
export interface PassedFile {
  readonly blob: StoredBlob;
  /** All of its bytes, while they aren't in the store. */
  readonly inMemory?: () => Uint8Array | undefined;
}
type State = { readonly type: 'fetching' } | ({ readonly type: 'passed' } & PassedFile) | { readonly type: 'failed'; readonly error: unknown };

/** One fetch of a file, and everybody who waits for it: each reads from the beginning, at a pace of their own, what has come so far. */
export class PullFlight {
  readonly #ports: FlightPorts;
  #state: State = { type: 'fetching' };
  #spool: Spool | undefined;
  /** All of it while it is small. */
  #small: Uint8Array[] | undefined = [];
  #sizeBytes: number | undefined;
  #available = 0;
  /** Of the spool; the fetch itself is one. */
  #users = 1;
  #changed = Promise.withResolvers<void>();

  constructor(ports: FlightPorts) {
    this.#ports = ports;
  }

  /** Resolves when its size is known and bytes may go out; or when all of it is checked and durable. Rejects when it failed before. */
  async underWay(): Promise<{ readonly sizeBytes: number }> {
    for (;;) {
      const passed = this.#passed();
      if (passed !== undefined) return passed.blob;
      if (this.#sizeBytes !== undefined && this.#readable() > 0) return { sizeBytes: this.#sizeBytes };
      await this.#changed.promise;
    }
  }

  /** Resolves when all of it is checked and durable. */
  async passed(): Promise<PassedFile> {
    for (;;) {
      const passed = this.#passed();
      if (passed !== undefined) return passed;
      await this.#changed.promise;
    }
  }

  /** All of its bytes, where it passed and they are in memory. */
  whole(): Uint8Array | undefined {
    if (this.#state.type !== 'passed') return undefined;
    return this.#state.inMemory?.() ?? (this.#small !== undefined && this.#available > 0 ? Buffer.concat(this.#small) : undefined);
  }

  /** Throws before the last byte when the file isn't what it should be. */
  async *bytes(): AsyncIterable<Uint8Array> {
    if (this.#spool !== undefined) return yield* this.#follow(this.#spool);
    const { blob } = await this.passed();
    const whole = this.whole();
    if (whole !== undefined) return yield whole;
    const { sha256 } = blob;
    // It was in the store all along, or what it came in has gone since.
    const opened = await this.#ports.blobs.open(sha256);
    if (opened === undefined) throw new StoreError('unreachable', `read blob ${sha256}: it is not in the store`);
    yield* opened.stream;
  }

  /** Upstream answers: so many bytes are to come. */
  begin(sizeBytes: number | undefined): void {
    this.#sizeBytes = sizeBytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (this.#spool === undefined && this.#available + chunk.length <= HELD_BACK_BYTES) this.#small?.push(chunk);
    else {
      const spool = this.#spool ?? (await this.#spill());
      await spool.append(chunk);
    }
    this.#available += chunk.length;
    this.#tell();
  }

  end(state: Exclude<State, { type: 'fetching' }>): void {
    this.#state = state;
    this.#tell();
  }

  /** Who reads still reads to the end. */
  close(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    void this.#spool?.close().catch(() => undefined);
    this.#spool = undefined;
    this.#small = undefined;
  }

  async #spill(): Promise<Spool> {
    const spool = await this.#ports.openSpool();
    for (const chunk of this.#small ?? []) await spool.append(chunk);
    this.#small = undefined;
    this.#spool = spool;
    return spool;
  }

  async *#follow(spool: Spool): AsyncIterable<Uint8Array> {
    this.#users += 1;
    try {
      for (let position = 0; ; ) {
        if (position < this.#readable()) {
          const bytes = await spool.read(position, Math.min(this.#readable() - position, READ_BYTES));
          position += bytes.length;
          yield bytes;
        } else if (this.#passed() !== undefined) return;
        else await this.#changed.promise;
      }
    } finally {
      this.close();
    }
  }

  #readable(): number {
    return this.#state.type === 'passed' ? this.#available : this.#available - HELD_BACK_BYTES;
  }

  /** Throws when it failed. */
  #passed(): PassedFile | undefined {
    if (this.#state.type === 'failed') throw this.#state.error;
    return this.#state.type === 'passed' ? this.#state : undefined;
  }

  #tell(): void {
    const before = this.#changed;
    this.#changed = Promise.withResolvers();
    before.resolve();
  }
}
