import { crc32, deflateRawSync } from 'node:zlib';

/** One entry of a zip to be made; whatever is given replaces what an honest writer would write. */
export interface ZipPart {
  readonly name: string | Buffer;
  readonly data?: string | Buffer;
  readonly method?: number;
  readonly level?: number;
  /** st_mode, with the file type. */
  readonly mode?: number;
  readonly dosTime?: number;
  readonly createSystem?: number;
  readonly flags?: number;
  readonly crc32?: number;
  readonly sizeBytes?: number;
  readonly packed?: Buffer;
  readonly extra?: Buffer;
  readonly localExtra?: Buffer;
  readonly comment?: string;
  /** Sizes behind the data instead of in the local header. */
  readonly descriptor?: 'signed' | 'plain' | 'wide';
  /** Bytes before the local header that belong to nothing. */
  readonly before?: Buffer;
  /** Where the central directory says that the local header lies. */
  readonly offset?: number;
  readonly localName?: string;
  readonly localMethod?: number;
  readonly localSizeBytes?: number;
  readonly localCrc32?: number;
}
export interface ZipOptions {
  readonly comment?: string;
  readonly beforeDirectory?: Buffer;
  readonly after?: Buffer;
  readonly entryCount?: number;
  readonly zip64?: boolean;
}

export function zipBytes(parts: readonly ZipPart[], options: ZipOptions = {}): Buffer {
  const chunks: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  const push = (...bytes: readonly Buffer[]): void => {
    chunks.push(...bytes);
    at += bytes.reduce((sum, chunk) => sum + chunk.length, 0);
  };
  for (const part of parts) {
    if (part.before !== undefined) push(part.before);
    central.push(centralHeader(part, at));
    push(localHeader(part), packedOf(part), descriptorOf(part));
  }
  if (options.beforeDirectory !== undefined) push(options.beforeDirectory);
  const directory = Buffer.concat(central);
  return Buffer.concat([...chunks, directory, endRecords(at, directory.length, { count: options.entryCount ?? parts.length, ...options })]);
}

function dataOf({ data = '' }: ZipPart): Buffer {
  return typeof data === 'string' ? Buffer.from(data) : data;
}

function packedOf(part: ZipPart): Buffer {
  return part.packed ?? (part.method === 0 ? dataOf(part) : deflateRawSync(dataOf(part), { level: part.level ?? 6 }));
}

function nameOf({ name }: ZipPart): Buffer {
  return typeof name === 'string' ? Buffer.from(name) : name;
}

function flagsOf(part: ZipPart): number {
  return part.flags ?? (part.descriptor === undefined ? 0 : 8) | (nameOf(part).some((byte) => byte > 127) ? 0x800 : 0);
}

function localHeader(part: ZipPart): Buffer {
  const header = Buffer.alloc(30);
  const name = part.localName === undefined ? nameOf(part) : Buffer.from(part.localName);
  const extra = part.localExtra ?? part.extra ?? Buffer.alloc(0);
  const isStreamed = part.descriptor !== undefined;
  header.writeUInt32LE(0x0403_4b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(flagsOf(part), 6);
  header.writeUInt16LE(part.localMethod ?? part.method ?? 8, 8);
  header.writeUInt32LE(part.dosTime ?? 0x5000_0000, 10);
  header.writeUInt32LE(isStreamed ? 0 : (part.localCrc32 ?? part.crc32 ?? crc32(dataOf(part))), 14);
  header.writeUInt32LE(isStreamed ? 0 : packedOf(part).length, 18);
  header.writeUInt32LE(isStreamed ? 0 : (part.localSizeBytes ?? part.sizeBytes ?? dataOf(part).length), 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

function descriptorOf(part: ZipPart): Buffer {
  if (part.descriptor === undefined) return Buffer.alloc(0);
  const wide = part.descriptor === 'wide';
  const descriptor = Buffer.alloc(wide ? 24 : 16);
  descriptor.writeUInt32LE(0x0807_4b50, 0);
  descriptor.writeUInt32LE(part.crc32 ?? crc32(dataOf(part)), 4);
  descriptor.writeUInt32LE(packedOf(part).length, 8);
  descriptor.writeUInt32LE(part.sizeBytes ?? dataOf(part).length, wide ? 16 : 12);
  return part.descriptor === 'plain' ? descriptor.subarray(4) : descriptor;
}

function centralHeader(part: ZipPart, at: number): Buffer {
  const header = Buffer.alloc(46);
  const [name, extra, comment] = [nameOf(part), part.extra ?? Buffer.alloc(0), Buffer.from(part.comment ?? '')];
  header.writeUInt32LE(0x0201_4b50, 0);
  header.writeUInt16LE((part.createSystem ?? 3) * 256 + 20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(flagsOf(part), 8);
  header.writeUInt16LE(part.method ?? 8, 10);
  header.writeUInt32LE(part.dosTime ?? 0x5000_0000, 12);
  header.writeUInt32LE(part.crc32 ?? crc32(dataOf(part)), 16);
  header.writeUInt32LE(packedOf(part).length, 20);
  header.writeUInt32LE(part.sizeBytes ?? dataOf(part).length, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt16LE(comment.length, 32);
  header.writeUInt32LE((part.mode ?? 0o100644) * 0x1_0000, 38);
  header.writeUInt32LE(part.offset ?? at, 42);
  return Buffer.concat([header, name, extra, comment]);
}

function endRecords(start: number, length: number, options: ZipOptions & { readonly count: number }): Buffer {
  const { count, comment = '', after = Buffer.alloc(0), zip64 = false } = options;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffff_ffff : length, 12);
  end.writeUInt32LE(zip64 ? 0xffff_ffff : start, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  const plain = Buffer.concat([end, Buffer.from(comment), after]);
  if (!zip64) return plain;
  const wide = Buffer.alloc(76);
  wide.writeUInt32LE(0x0606_4b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  wide.writeBigUInt64LE(BigInt(count), 24);
  wide.writeBigUInt64LE(BigInt(count), 32);
  wide.writeBigUInt64LE(BigInt(length), 40);
  wide.writeBigUInt64LE(BigInt(start), 48);
  wide.writeUInt32LE(0x0706_4b50, 56);
  wide.writeBigUInt64LE(BigInt(start + length), 64);
  wide.writeUInt32LE(1, 72);
  return Buffer.concat([wide, plain]);
}
