import { ArchiveError } from './archive-error.ts';

export const BLOCK_BYTES = 512;

/** One 512-byte header as it is written (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar "Basic Tar Format"). */
export interface RawTarHeader {
  readonly format: 'v7' | 'ustar' | 'gnu';
  /** Prefix and name joined, bytes. */
  readonly name: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly typeflag: string;
  readonly linkName: Buffer;
  readonly uname: Buffer;
  readonly gname: Buffer;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

export function parseTarHeader(block: Buffer): RawTarHeader {
  refuseWrongChecksum(block);
  const format = formatOf(block);
  const typeflag = String.fromCharCode(block.readUInt8(156) === 0 ? 0x30 : block.readUInt8(156));
  const hasExtension = format !== 'v7';
  return {
    format,
    name: nameOf(block, format),
    mode: readNumber(block, 100, 8),
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    size: readNumber(block, 124, 12),
    mtime: readNumber(block, 136, 12),
    typeflag,
    linkName: readText(block, 157, 100),
    uname: hasExtension ? readText(block, 265, 32) : Buffer.alloc(0),
    gname: hasExtension ? readText(block, 297, 32) : Buffer.alloc(0),
    deviceMajor: hasExtension ? readNumber(block, 329, 8) : 0,
    deviceMinor: hasExtension ? readNumber(block, 337, 8) : 0,
  };
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function formatOf(block: Buffer): RawTarHeader['format'] {
  const magic = block.toString('latin1', 257, 265);
  if (magic === 'ustar\u000000') return 'ustar';
  if (magic === 'ustar  \u0000') return 'gnu';
  if (isZero(block.subarray(257, BLOCK_BYTES))) return 'v7';
  throw new ArchiveError('unsupported', 'tar: a header that is neither ustar nor GNU nor of the seventh edition');
}

function nameOf(block: Buffer, format: RawTarHeader['format']): Buffer {
  const name = readText(block, 0, 100);
  if (format === 'v7' || block[345] === 0) return name;
  // GNU keeps other fields where ustar has the prefix; some readers take them for one all the same.
  if (format === 'gnu') throw new ArchiveError('unsupported', 'tar: a GNU header with incremental or sparse fields');
  return Buffer.concat([readText(block, 345, 155), Buffer.from('/'), name]);
}

/** The sum of all bytes, those of the checksum counted as spaces. */
function refuseWrongChecksum(block: Buffer): void {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK_BYTES; at += 1) if (at < 148 || at >= 156) sum += block.readUInt8(at);
  if (readNumber(block, 148, 8) !== sum) throw new ArchiveError('malformed', 'tar: a header whose checksum is wrong');
}

function readText(block: Buffer, start: number, length: number): Buffer {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

/** Octal digits between spaces and NULs, or GNU's base 256 when the first bit is set. */
function readNumber(block: Buffer, start: number, length: number): number {
  const field = block.subarray(start, start + length);
  const first = field.readUInt8(0);
  if (first === 0x80 || first === 0xff) return readBase256(field);
  const digits = /^[ \0]*([0-7]*)[ \0]*$/.exec(field.toString('latin1'))?.[1];
  const value = digits === undefined ? Number.NaN : Number.parseInt(digits === '' ? '0' : digits, 8);
  if (!Number.isSafeInteger(value)) throw new ArchiveError('malformed', 'tar: a header field that is no number');
  return value;
}

function readBase256(field: Buffer): number {
  let value = field.readUInt8(0) === 0xff ? -1n : 0n;
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new ArchiveError('malformed', 'tar: a header field beyond 2^53');
  return number;
}
