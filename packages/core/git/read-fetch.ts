import { endOf, lineOf, nextPacket, type Packets, remoteError, unexpected } from './answer-lines.ts';
import { GitFormatError } from './git-format-error.ts';
import { type Packet, readPackets } from './pkt-line.ts';
import { remoteText } from './remote-text.ts';

export interface FetchAnswer {
  /** Which protocol the request was of: `GitServer.version`. */
  readonly version: 0 | 2;
  /** Of the pack. */
  readonly maxBytes: number;
  /** What the server says while it works: one line, safe to show. */
  readonly onProgress?: (line: string) => void;
}

const WHERE = 'the answer to a fetch';
/** gitprotocol-pack, side-band. */
const BAND = { pack: 1, progress: 2, error: 3 };
/** What may come beside the pack: progress and keepalives, and frames (5 bytes in 65520 from git, 5 in 1000 at worst). */
const BESIDE_BYTES = 16 * 2 ** 20;
const FRAME_BYTES = 5;
/** Acknowledgments that nobody asked for; as many as we name. */
const MAX_ACKNOWLEDGMENTS = 16_384;
/** gitformat-pack: signature, and versions that are read. */
const SIGNATURE_BYTES = 8;
const SIGNATURES = [Buffer.from('PACK\0\0\0\x02'), Buffer.from('PACK\0\0\0\x03')];

/**
 * The pack in the answer to a `fetchRequest`, as its bytes come; that they are a whole and sound pack is for who indexes them. The server's
 * stream is read to its end, or closed when the reader stops. Throws GitFormatError: `remote-error` for what the server says went wrong,
 * `truncated`, `too-large`, `unsupported` for a shallow repository, `malformed` for anything else that isn't a pack and nothing but a pack.
 */
export async function* readFetch(stream: AsyncIterable<Uint8Array>, answer: FetchAnswer): AsyncGenerator<Uint8Array, void, undefined> {
  const packets = readPackets(stream, { maxBytes: answer.maxBytes + besideBytes(answer.maxBytes), inParts: BAND.pack });
  try {
    const first = answer.version === 2 ? await startV2(packets) : await startV0(packets);
    let size = 0;
    let beside = 0;
    const signature = new SignatureCheck();
    for (let packet = first; packet.type !== 'flush'; packet = await nextPacket(packets, 'a pack')) {
      const bytes = packBytes(packet, answer);
      beside += besideBytesOf(packet);
      // Else a server that never comes to the point would be read for as long as the largest pack.
      if (beside > besideBytes(size)) throw new GitFormatError('too-large', `git server's answer: more than ${besideBytes(size)} bytes beside the pack`);
      if (bytes === undefined || bytes.length === 0) continue;
      signature.take(bytes);
      size += bytes.length;
      if (size > answer.maxBytes) throw new GitFormatError('too-large', `git server's pack: more than ${answer.maxBytes} bytes`);
      yield bytes;
    }
    signature.end();
    await endOf(packets, 'a pack');
  } finally {
    await packets.return();
  }
}

function besideBytes(packBytes: number): number {
  return BESIDE_BYTES + Math.floor(packBytes / 64);
}

/** What a packet has that isn't the pack's. */
function besideBytesOf(packet: Packet): number {
  if (packet.type === 'part') return packet.isFirst ? FRAME_BYTES : 0;
  return FRAME_BYTES + (packet.type === 'data' ? packet.bytes.length : 0);
}

/** gitprotocol-v2, fetch: sections, of which a pack's is the last. The first packet of the pack. */
async function startV2(packets: Packets): Promise<Packet> {
  let section = sectionOf(await nextPacket(packets, WHERE));
  if (section === 'acknowledgments') {
    for (let count = 0; ; count += 1) {
      const packet = await nextPacket(packets, WHERE);
      if (packet.type === 'delimiter') break;
      if (count > MAX_ACKNOWLEDGMENTS) throw new GitFormatError('too-many', `git server: more than ${MAX_ACKNOWLEDGMENTS} acknowledgments`);
      if (packet.type !== 'data' || !/^(NAK|ready|ACK [0-9a-f]{40,64})$/.test(lineOf(packet.bytes) ?? '')) throw unexpected(packet, WHERE);
    }
    section = sectionOf(await nextPacket(packets, WHERE));
  }
  if (section === 'shallow-info') throw new GitFormatError('unsupported', 'git server: its repository is shallow, what it has begins in the middle');
  return await nextPacket(packets, 'a pack');
}

/** `wanted-refs` and `packfile-uris` come only to those who ask. */
function sectionOf(packet: Packet): 'acknowledgments' | 'shallow-info' | 'packfile' {
  const line = packet.type === 'data' ? lineOf(packet.bytes) : undefined;
  if (line === 'acknowledgments' || line === 'shallow-info' || line === 'packfile') return line;
  throw unexpected(packet, WHERE);
}

/** gitprotocol-pack, Packfile Negotiation, without multi_ack: one ACK, or NAK. */
async function startV0(packets: Packets): Promise<Packet> {
  const packet = await nextPacket(packets, WHERE);
  if (packet.type !== 'data' || !/^(NAK|ACK [0-9a-f]{40,64})$/.test(lineOf(packet.bytes) ?? '')) throw unexpected(packet, WHERE);
  return await nextPacket(packets, 'a pack');
}

/** Undefined for what isn't part of the pack. */
function packBytes(packet: Packet, { onProgress }: FetchAnswer): Uint8Array | undefined {
  if (packet.type === 'part') return packet.bytes;
  if (packet.type !== 'data') throw unexpected(packet, 'a pack');
  const [band] = packet.bytes;
  const bytes = packet.bytes.subarray(1);
  switch (band) {
    case BAND.progress: {
      const line = remoteText(lastLine(bytes));
      if (line !== '') onProgress?.(line);
      return undefined;
    }
    case BAND.error:
      throw remoteError(bytes);
    default:
      throw unexpected(packet, 'a pack');
  }
}

/** Progress is written over and over into one line, which ends with a carriage return. */
function lastLine(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = /[\r\n]$/.test(text.toString('latin1', Math.max(0, text.length - 1))) ? text.length - 1 : text.length;
  return text.subarray(Math.max(text.lastIndexOf('\r', end - 1), text.lastIndexOf('\n', end - 1)) + 1, end);
}

/** The first bytes, however they are cut. */
class SignatureCheck {
  #start = Buffer.alloc(0);

  take(bytes: Uint8Array): void {
    if (this.#start.length === SIGNATURE_BYTES) return;
    this.#start = Buffer.concat([this.#start, bytes.subarray(0, SIGNATURE_BYTES - this.#start.length)]);
    if (!SIGNATURES.some((signature) => signature.subarray(0, this.#start.length).equals(this.#start)))
      throw new GitFormatError('malformed', "git server's pack: it does not begin like one");
  }

  end(): void {
    if (this.#start.length === 0) throw new GitFormatError('truncated', "git server's pack: there is none");
  }
}
