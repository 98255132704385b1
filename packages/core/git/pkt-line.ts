import { GitFormatError } from './git-format-error.ts';
import { remoteText } from './remote-text.ts';

/** gitprotocol-common, pkt-line: 65516 bytes and the four of the length. */
const MAX_PACKET_BYTES = 65_520;
const LENGTH_BYTES = 4;

/** gitprotocol-v2, Packet-Line Framing. The bytes of a packet may lie in those that the stream handed out. */
export type Packet =
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'flush' }
  | { readonly type: 'delimiter' }
  | { readonly type: 'response-end' };

const SPECIAL: readonly Packet[] = [{ type: 'flush' }, { type: 'delimiter' }, { type: 'response-end' }];

/** Bytes of a packet; text as UTF-8. Throws RangeError above 65516 bytes. */
export function encodePacket(payload: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(payload);
  const length = bytes.length + LENGTH_BYTES;
  if (length > MAX_PACKET_BYTES) throw new RangeError(`pkt-line of ${bytes.length} bytes: at most ${MAX_PACKET_BYTES - LENGTH_BYTES}`);
  return Buffer.concat([Buffer.from(length.toString(16).padStart(LENGTH_BYTES, '0')), bytes]);
}

export function encodeSpecial(type: 'flush' | 'delimiter' | 'response-end'): Uint8Array {
  return Buffer.from(`000${SPECIAL.findIndex((packet) => packet.type === type)}`);
}

/**
 * The packets of a stream of a server, as they come. Holds one packet at most, whatever the size of the stream's pieces. Throws
 * GitFormatError: `malformed`, `truncated` where it ends within a packet, `too-large` when more than `maxBytes` came.
 */
export async function* readPackets(stream: AsyncIterable<Uint8Array>, { maxBytes }: { readonly maxBytes: number }): AsyncGenerator<Packet, void, undefined> {
  const splitter = new PacketSplitter();
  let total = 0;
  for await (const piece of stream) {
    total += piece.length;
    if (total > maxBytes) throw new GitFormatError('too-large', `git server's answer: more than ${maxBytes} bytes`);
    yield* splitter.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  }
  splitter.end();
}

/** Takes a stream's pieces in turn. A packet that lies in one piece is not copied, and one that doesn't only once. */
class PacketSplitter {
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #payload: Buffer | undefined;
  #payloadFilled = 0;

  *push(piece: Buffer): Generator<Packet, void, undefined> {
    let at = 0;
    while (at < piece.length) {
      if (this.#payload === undefined) {
        const copied = piece.copy(this.#length, this.#lengthFilled, at);
        at += copied;
        this.#lengthFilled = (this.#lengthFilled + copied) % LENGTH_BYTES;
        if (this.#lengthFilled !== 0) return;
        const next = startOf(this.#length);
        if (typeof next !== 'number') yield next;
        else if (at + next <= piece.length) yield { type: 'data', bytes: piece.subarray(at, at + next) };
        else this.#payload = Buffer.allocUnsafeSlow(next);
        if (typeof next === 'number' && this.#payload === undefined) at += next;
      } else {
        const copied = piece.copy(this.#payload, this.#payloadFilled, at);
        at += copied;
        this.#payloadFilled += copied;
        if (this.#payloadFilled < this.#payload.length) return;
        yield { type: 'data', bytes: this.#payload };
        this.#payload = undefined;
        this.#payloadFilled = 0;
      }
    }
  }

  end(): void {
    if (this.#lengthFilled !== 0 || this.#payload !== undefined) throw new GitFormatError('truncated', "git server's answer: it ends within a packet");
  }
}

/** The packet that these four bytes are, or how many bytes of payload follow. */
function startOf(length: Buffer): Packet | number {
  const text = length.toString('latin1');
  const value = /^[0-9a-f]{4}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  const special = SPECIAL[value];
  if (special !== undefined) return special;
  // 0003 is reserved.
  if (!(value >= LENGTH_BYTES && value <= MAX_PACKET_BYTES))
    throw new GitFormatError('malformed', `git server's answer: ${JSON.stringify(remoteText(length))} is not the length of a packet`);
  return value - LENGTH_BYTES;
}
