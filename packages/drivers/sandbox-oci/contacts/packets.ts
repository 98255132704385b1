/** What one packet asks of whom, as far as it tells of a contact. */
export type Packet =
  /** The first of a connection (RFC 9293 3.1: SYN without ACK). */
  | { readonly type: 'tcp'; readonly address: string; readonly port: number }
  | { readonly type: 'udp'; readonly address: string; readonly port: number; readonly payload: Buffer };

const LINK_HEADER_BYTES = 14;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const [TCP, UDP] = [6, 17];
const [SYN, ACK] = [0x02, 0x10];

/**
 * Takes what a packet socket on the loopback interface delivers, one packet after the other without a mark between them: each says its own
 * length. Foreign code fills them, but can't write their headers, because it may not open raw sockets. Throws RangeError on what is no IP packet: where the next begins is unknown then.
 */
export function openPacketReader(): (chunk: Uint8Array) => readonly Packet[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const packets: Packet[] = [];
    let bytes = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk]);
    for (let length = frameLength(bytes); length !== undefined && bytes.length >= length; length = frameLength(bytes)) {
      const packet = parsePacket(bytes.subarray(LINK_HEADER_BYTES, length));
      if (packet !== undefined) packets.push(packet);
      bytes = bytes.subarray(length);
    }
    rest = Buffer.from(bytes);
    return packets;
  };
}

/** Undefined when not even that has arrived. */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < LINK_HEADER_BYTES + 8) return undefined;
  switch (bytes.readUInt16BE(12)) {
    case IPV4:
      // RFC 791 3.1: total length, header included.
      return LINK_HEADER_BYTES + Math.max(20, bytes.readUInt16BE(LINK_HEADER_BYTES + 2));
    case IPV6:
      // RFC 8200 3: length of what follows the header.
      return LINK_HEADER_BYTES + 40 + bytes.readUInt16BE(LINK_HEADER_BYTES + 4);
    default:
      throw new RangeError(`a packet of type 0x${bytes.readUInt16BE(12).toString(16)} on the loopback interface`);
  }
}

function parsePacket(bytes: Buffer): Packet | undefined {
  if ((bytes[0] ?? 0) >> 4 === 4) {
    // RFC 791 3.1: of what was cut up, only the first piece has ports.
    if ((bytes.readUInt16BE(6) & 0x1fff) !== 0) return undefined;
    const address = [...bytes.subarray(16, 20)].join('.');
    return parseTransport(bytes[9] ?? 0, address, bytes.subarray(((bytes[0] ?? 0) & 0x0f) * 4));
  }
  if (bytes.length < 40) return undefined;
  return parseTransport(bytes[6] ?? 0, ipv6Text(bytes.subarray(24, 40)), bytes.subarray(40));
}

function parseTransport(protocol: number, address: string, bytes: Buffer): Packet | undefined {
  if (protocol === TCP && bytes.length >= 20)
    return ((bytes[13] ?? 0) & (SYN | ACK)) === SYN ? { type: 'tcp', address, port: bytes.readUInt16BE(2) } : undefined;
  if (protocol === UDP && bytes.length >= 8) return { type: 'udp', address, port: bytes.readUInt16BE(2), payload: bytes.subarray(8) };
  return undefined;
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
