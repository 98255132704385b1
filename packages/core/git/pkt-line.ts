import { GitFormatError } from './git-format-error.ts';
import { remoteText } from './remote-text.ts';

/** gitprotocol-common, pkt-line: 65516 bytes and the four of the length. */
const MAX_PACKET_BYTES = 65_520;
const LENGTH_BYTES = 4;

/** gitprotocol-v2, Packet-Line Framing. The bytes of a packet may lie in those that the stream handed out. */
export type Packet =
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** Of a packet that is handed out as it comes: what lies in one piece of the stream. */
  | { readonly type: 'part'; readonly bytes: Uint8Array; readonly isFirst: boolean }
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

export interface PacketLimits {
  readonly maxBytes: number;
  /** Packets that begin with this byte come in parts, without it: where nothing but bytes matters, none need be copied together. */
  readonly inParts?: number;
}

/**
 * The packets of a stream of a server, as they come. Holds one packet at most, whatever the size of the stream's pieces. Throws
 * GitFormatError: `malformed`, `truncated` where it ends within a packet, `too-large` when more than `maxBytes` came.
 */
export async function* readPackets(stream: AsyncIterable<Uint8Array>, { maxBytes, inParts }: PacketLimits): AsyncGenerator<Packet, void, undefined> {
  const splitter = new PacketSplitter(inParts);
  let total = 0;
  for await (const piece of stream) {
    total += piece.length;
    if (total > maxBytes) throw new GitFormatError('too-large', `git server's answer: more than ${maxBytes} bytes`);
    yield* splitter.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  }
  splitter.end();
}

/** A packet of which the length is known. */
type Begun =
  | { readonly type: 'unread'; readonly size: number }
  | { readonly type: 'whole'; readonly payload: Buffer; filled: number }
  | { readonly type: 'parts'; left: number };

/** Takes a stream's pieces in turn. A packet that lies in one piece is not copied, one that comes in parts neither, and others only once. */
class PacketSplitter {
  readonly #inParts: number | undefined;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #begun: Begun | undefined;

  constructor(inParts: number | undefined) {
    this.#inParts = inParts;
  }

  *push(piece: Buffer): Generator<Packet, void, undefined> {
    let at = 0;
    while (at < piece.length) {
      if (this.#begun === undefined) {
        const copied = piece.copy(this.#length, this.#lengthFilled, at);
        at += copied;
        this.#lengthFilled = (this.#lengthFilled + copied) % LENGTH_BYTES;
        if (this.#lengthFilled !== 0) return;
        const next = startOf(this.#length);
        if (typeof next !== 'number') yield next;
        else if (next === 0) yield { type: 'data', bytes: piece.subarray(at, at) };
        else this.#begun = { type: 'unread', size: next };
      } else {
        const { packet, taken } = this.#take(this.#begun, piece.subarray(at));
        at += taken;
        if (packet !== undefined) yield packet;
      }
    }
  }

  /** How much of `rest`, which isn't empty, belongs to the packet, and what it gives. */
  #take(begun: Begun, rest: Buffer): { readonly packet?: Packet; readonly taken: number } {
    switch (begun.type) {
      case 'unread': {
        const bytes = rest.subarray(0, begun.size);
        const isWhole = bytes.length === begun.size;
        if (bytes[0] === this.#inParts) {
          this.#begun = isWhole ? undefined : { type: 'parts', left: begun.size - bytes.length };
          return { packet: { type: 'part', bytes: bytes.subarray(1), isFirst: true }, taken: bytes.length };
        }
        this.#begun = isWhole ? undefined : { type: 'whole', payload: Buffer.allocUnsafeSlow(begun.size), filled: 0 };
        return isWhole ? { packet: { type: 'data', bytes }, taken: begun.size } : { taken: 0 };
      }
      case 'whole': {
        const taken = rest.copy(begun.payload, begun.filled);
        begun.filled += taken;
        if (begun.filled < begun.payload.length) return { taken };
        this.#begun = undefined;
        return { packet: { type: 'data', bytes: begun.payload }, taken };
      }
      case 'parts': {
        const bytes = rest.subarray(0, begun.left);
        begun.left -= bytes.length;
        if (begun.left === 0) this.#begun = undefined;
        return { packet: { type: 'part', bytes, isFirst: false }, taken: bytes.length };
      }
    }
  }

  end(): void {
    if (this.#lengthFilled !== 0 || this.#begun !== undefined) throw new GitFormatError('truncated', "git server's answer: it ends within a packet");
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
