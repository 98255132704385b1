import { RepositoryError } from '@granary/contract/ports';

/** Name, type and size. */
const MAX_HEADER_BYTES = 128;
const LINE_FEED = 0x0a;

/**
 * Contents in the output of git-cat-file(1), `--batch`: header, contents, line feed. Those of `maxBytes` or fewer are handed out one by one, in bytes that are written over
 * once the next are asked for; larger ones are passed by. Throws RepositoryError `malformed` for anything else, such as the answer for what isn't there.
 */
export async function* batchContents(what: string, printed: AsyncIterable<Buffer>, { maxBytes }: { readonly maxBytes: number }): AsyncGenerator<Buffer> {
  const reader = new BatchReader(what, maxBytes);
  for await (const chunk of printed) {
    let at = 0;
    while (at < chunk.length) {
      const { taken, contents } = reader.take(chunk.subarray(at));
      at += taken;
      if (contents !== undefined) yield contents;
    }
  }
  reader.end();
}

interface Taken {
  readonly taken: number;
  /** Of the object that ends there, if one does and it isn't too large. */
  readonly contents?: Buffer;
}
interface OpenObject {
  readonly sizeBytes: number;
  read: number;
}

class BatchReader {
  readonly #what: string;
  readonly #held: Buffer;
  #header = '';
  #open: OpenObject | undefined;

  constructor(what: string, maxBytes: number) {
    this.#what = what;
    this.#held = Buffer.alloc(maxBytes);
  }

  take(chunk: Buffer): Taken {
    return this.#open === undefined ? this.#takeHeader(chunk) : this.#takeContents(this.#open, chunk);
  }

  #takeHeader(chunk: Buffer): Taken {
    const end = chunk.indexOf(LINE_FEED);
    this.#header += chunk.toString('latin1', 0, Math.min(end < 0 ? chunk.length : end, MAX_HEADER_BYTES));
    if (end < 0 && this.#header.length < MAX_HEADER_BYTES) return { taken: chunk.length };
    const size = /^[0-9a-f]{40,64} (?:blob|tree|commit|tag) (\d{1,15})$/.exec(this.#header)?.[1];
    if (size === undefined) throw this.#malformed(`answered ${JSON.stringify(this.#header.slice(0, MAX_HEADER_BYTES))}`);
    this.#header = '';
    this.#open = { sizeBytes: Number(size), read: 0 };
    return { taken: end + 1 };
  }

  #takeContents(open: OpenObject, chunk: Buffer): Taken {
    const isKept = open.sizeBytes <= this.#held.length;
    // The line feed after it counts, too.
    const taken = Math.min(chunk.length, open.sizeBytes + 1 - open.read);
    if (isKept) chunk.copy(this.#held, open.read, 0, Math.min(taken, open.sizeBytes - open.read));
    open.read += taken;
    if (open.read <= open.sizeBytes) return { taken };
    this.#open = undefined;
    return isKept ? { taken, contents: this.#held.subarray(0, open.sizeBytes) } : { taken };
  }

  end(): void {
    if (this.#open !== undefined || this.#header !== '') throw this.#malformed('printed less than was asked for');
  }

  #malformed(how: string): RepositoryError {
    return new RepositoryError('malformed', `${this.#what}: git ${how}`);
  }
}
