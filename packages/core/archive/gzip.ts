import { crc32 } from 'node:zlib';
import type { GzipHeader } from './archive.ts';
import { ArchiveError } from './archive-error.ts';
import { inflateRaw } from './inflate.ts';
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS, decompressedAllowance, refuseExcess, refuseLargeArchive } from './limits.ts';

export interface Gunzipped {
  readonly bytes: Uint8Array;
  /** One per member; their contents follow one another (RFC 1952 2.2). */
  readonly headers: readonly GzipHeader[];
}

/** Each member costs a call into zlib; real files have one. */
const MAX_MEMBERS = 1024;

/**
 * Decompresses a gzip file, every member of it. zlib's own gunzip drops the header and says nothing of what follows the
 * last member, so header and trailer are read here. Throws ArchiveError.
 */
export function gunzip(bytes: Uint8Array, limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS): Gunzipped {
  refuseLargeArchive(bytes, limits);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headers: GzipHeader[] = [];
  const contents: Uint8Array[] = [];
  let total = 0;
  let at = 0;
  do {
    if (headers.length === MAX_MEMBERS) throw new ArchiveError('too-many-entries', `gzip: more than ${MAX_MEMBERS} members`);
    const { header, end } = readHeader(buffer, at);
    const member = readMember(buffer.subarray(end), total, { compressedBytes: bytes.length, limits });
    headers.push(header);
    contents.push(member.bytes);
    total += member.bytes.length;
    at = end + member.consumedBytes;
  } while (at < buffer.length && !isPadding(buffer, at));
  const [only] = contents;
  return { bytes: only !== undefined && contents.length === 1 ? only : Buffer.concat(contents), headers };
}

function readMember(
  rest: Buffer,
  before: number,
  { compressedBytes, limits }: { readonly compressedBytes: number; readonly limits: ArchiveLimits },
): { readonly bytes: Uint8Array; readonly consumedBytes: number } {
  const allowance = decompressedAllowance(compressedBytes, limits) - before;
  const inflated = inflateRaw(rest, allowance, 'gzip');
  if (inflated === undefined) {
    refuseExcess(before + allowance + 1, compressedBytes, limits);
    throw new ArchiveError('ratio-too-high', 'gzip: more bytes than its limits allow');
  }
  const trailer = inflated.consumedBytes;
  if (trailer + 8 > rest.length) throw new ArchiveError('truncated', 'gzip: it ends within its trailer');
  if (rest.readUInt32LE(trailer) !== crc32(inflated.bytes)) throw new ArchiveError('crc-mismatch', 'gzip: its CRC-32 is not what its trailer says');
  if (rest.readUInt32LE(trailer + 4) !== inflated.bytes.length % 0x1_0000_0000)
    throw new ArchiveError('size-mismatch', 'gzip: its size is not what its trailer says');
  return { bytes: inflated.bytes, consumedBytes: trailer + 8 };
}

/** RFC 1952 2.3.1. */
const FLAG = { text: 1, headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 };
const FIXED_HEADER_BYTES = 10;
const MAGIC = Buffer.from([0x1f, 0x8b]);

function readHeader(buffer: Buffer, start: number): { readonly header: GzipHeader; readonly end: number } {
  if (start > 0 && !buffer.subarray(start, start + 2).equals(MAGIC))
    throw new ArchiveError('hidden-data', `gzip: ${buffer.length - start} bytes after its last member`);
  if (start + FIXED_HEADER_BYTES > buffer.length) throw new ArchiveError('truncated', 'gzip: it ends within its header');
  if (!buffer.subarray(start, start + 2).equals(MAGIC)) throw new ArchiveError('malformed', 'gzip: it does not begin like one');
  if (buffer[start + 2] !== 8) throw new ArchiveError('unsupported', `gzip: compression method ${buffer[start + 2]}`);
  const flags = buffer.readUInt8(start + 3);
  if ((flags & FLAG.reserved) !== 0) throw new ArchiveError('unsupported', 'gzip: a reserved flag is set');
  let at = start + FIXED_HEADER_BYTES;
  const take = (length: number): Buffer => {
    if (at + length > buffer.length) throw new ArchiveError('truncated', 'gzip: it ends within its header');
    at += length;
    return buffer.subarray(at - length, at);
  };
  const takeText = (): string => {
    const end = buffer.indexOf(0, at);
    if (end === -1) throw new ArchiveError('truncated', 'gzip: a text in its header has no end');
    return take(end + 1 - at)
      .subarray(0, -1)
      .toString('latin1');
  };
  const extra = (flags & FLAG.extra) === 0 ? undefined : take(take(2).readUInt16LE()).toString('hex');
  const name = (flags & FLAG.name) === 0 ? undefined : takeText();
  const comment = (flags & FLAG.comment) === 0 ? undefined : takeText();
  if ((flags & FLAG.headerCrc) !== 0) {
    const expected = crc32(buffer.subarray(start, at)) & 0xffff;
    if (take(2).readUInt16LE() !== expected) throw new ArchiveError('crc-mismatch', 'gzip: the CRC of its header is wrong');
  }
  const header: GzipHeader = {
    mtime: buffer.readUInt32LE(start + 4),
    extraFlags: buffer.readUInt8(start + 8),
    operatingSystem: buffer.readUInt8(start + 9),
    textFlag: (flags & FLAG.text) !== 0,
    ...(name === undefined ? {} : { name }),
    ...(comment === undefined ? {} : { comment }),
    ...(extra === undefined ? {} : { extra }),
  };
  return { header, end: at };
}

/** Zeros up to the end, as tapes and some writers leave them. */
function isPadding(buffer: Buffer, at: number): boolean {
  return buffer.subarray(at).every((byte) => byte === 0);
}
