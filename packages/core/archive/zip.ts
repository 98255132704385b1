import { crc32 } from 'node:zlib';
import { type Entry, fromBufferPromise, getFileNameLowLevel, type LocalFileHeader, type ZipFile } from 'yauzl';
import type { EntryType, ZipArchive, ZipEntry, ZipHeader } from './archive.ts';
import { ArchiveError } from './archive-error.ts';
import { type Content, EMPTY_CONTENT, lazyContent, type Packing } from './content.ts';
import { canonicalPath, decodeUtf8, refuseShadowed } from './entry-path.ts';
import { inflateRaw } from './inflate.ts';
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS, refuseExcess, refuseLargeArchive, refuseLargeEntry, refuseManyEntries } from './limits.ts';
import { type PlacedEntry, refuseDisagreement, refuseLooseLayout } from './zip-layout.ts';

/** APPNOTE 4.4.4: bit 0 encrypted, 6 strong encryption, 13 masked headers. */
const ENCRYPTED = 0b10_0000_0100_0001;
const UTF8_NAMES = 0x800;
const STORED = 0;
const DEFLATED = 8;

/** Reads the directory of a zip and checks all that can be checked without its contents; those are checked as they are read. Throws ArchiveError. */
export async function readZip(bytes: Uint8Array, limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS): Promise<ZipArchive> {
  refuseLargeArchive(bytes, limits);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const placed: PlacedEntry[] = [];
  const { entryCount, comment } = await asArchiveError(async () => {
    const zip = await fromBufferPromise(buffer, { decodeStrings: false });
    refuseManyEntries(zip.entryCount, limits);
    for await (const central of zip.eachEntry()) placed.push(await placeEntry(zip, central));
    return { entryCount: zip.entryCount, comment: Buffer.from(zip.comment) };
  });
  refuseLooseLayout(buffer, placed, comment.length);
  refuseExcess(
    placed.reduce((sum, { central }) => sum + central.uncompressedSize, 0),
    bytes.length,
    limits,
  );
  const positions = new Map([...placed].sort((a, b) => a.start - b.start).map((entry, position) => [entry, position]));
  const entries = placed.map((entry) => toZipEntry(buffer, entry, { position: positions.get(entry) ?? entryCount, limits }));
  refuseShadowed(entries);
  return { format: 'zip', entries, comment: comment.toString('hex') };
}

async function placeEntry(zip: ZipFile, central: Entry): Promise<PlacedEntry> {
  const local = await zip.readLocalFileHeaderPromise(central);
  return { central, local, start: central.relativeOffsetOfLocalHeader, dataStart: local.fileDataStart, dataEnd: local.fileDataStart + central.compressedSize };
}

function toZipEntry(buffer: Buffer, placed: PlacedEntry, { position, limits }: { readonly position: number; readonly limits: ArchiveLimits }): ZipEntry {
  const { central, local } = placed;
  const name = decodeName(central);
  const path = canonicalPath(name, limits);
  if ((central.generalPurposeBitFlag & ENCRYPTED) !== 0) throw new ArchiveError('encrypted', `${path}: encrypted`, { path });
  if (central.compressionMethod !== STORED && central.compressionMethod !== DEFLATED) {
    throw new ArchiveError('unsupported', `${path}: compression method ${central.compressionMethod}`, { path });
  }
  refuseDisagreement(placed, path);
  refuseLargeEntry(path, central.uncompressedSize, limits);
  const packed = { method: central.compressionMethod, crc32: central.crc32, bytes: buffer.subarray(placed.dataStart, placed.dataEnd) };
  const content = packedContent(path, central.uncompressedSize, packed);
  const unixMode = central.externalFileAttributes >>> 16;
  const base = { path, mode: unixMode & 0o7777, header: toHeader(central, local, position) };
  const type = typeOf(unixMode, name, path);
  switch (type) {
    case 'file':
      return { ...base, type, content };
    case 'link':
      return { ...base, type, target: decodeUtf8(readTarget(content, path, limits), `${path}: its link target`), content: EMPTY_CONTENT };
    default:
      if (content.sizeBytes > 0) throw new ArchiveError('malformed', `${path}: a ${type} with ${content.sizeBytes} bytes of content`, { path });
      return { ...base, type, content: EMPTY_CONTENT };
  }
}

/** The file type bits of st_mode, wherever the entry says that it was made: readers differ on whether they ask. */
function typeOf(unixMode: number, name: string, path: string): EntryType {
  const named: EntryType = name.endsWith('/') ? 'directory' : 'file';
  switch (unixMode & 0o170000) {
    case 0:
      return named;
    case 0o100000:
      if (named === 'directory') throw new ArchiveError('headers-disagree', `${path}: named as a folder, with the mode of a file`, { path });
      return 'file';
    case 0o040000:
      return 'directory';
    case 0o120000:
      return 'link';
    case 0o010000:
      return 'fifo';
    case 0o020000:
    case 0o060000:
    case 0o140000:
      return 'device';
    default:
      throw new ArchiveError('unsupported', `${path}: file type ${(unixMode & 0o170000).toString(8)}`, { path });
  }
}

function decodeName(central: Entry): string {
  const { fileNameRaw, generalPurposeBitFlag, extraFields } = central;
  const shown = JSON.stringify(fileNameRaw.toString('latin1').slice(0, 120));
  // Code page 437 has glyphs where ASCII has control characters, and readers differ on which they take.
  if (fileNameRaw.some((byte) => byte < 0x20 || byte === 0x7f)) throw new ArchiveError('unsafe-path', `entry ${shown}: its path has a control character`);
  const plain =
    (generalPurposeBitFlag & UTF8_NAMES) === 0 ? getFileNameLowLevel(0, fileNameRaw, [], true) : decodeUtf8(fileNameRaw, `entry ${shown}: its name`);
  // Info-ZIP's Unicode path (0x7075) is followed by some readers and not by others.
  if (getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true) !== plain)
    throw new ArchiveError('headers-disagree', `entry ${shown}: another name in its extra field`);
  return plain;
}

function packedContent(path: string, sizeBytes: number, packing: Packing): Content {
  return lazyContent(sizeBytes, () => unpack(path, sizeBytes, packing), packing);
}

function unpack(path: string, sizeBytes: number, { method, crc32: expected, bytes }: Packing): Uint8Array {
  const unpacked = method === STORED ? { bytes, consumedBytes: bytes.length } : inflateRaw(bytes, sizeBytes, path);
  if (unpacked === undefined || unpacked.bytes.length !== sizeBytes) {
    throw new ArchiveError('size-mismatch', `${path}: ${unpacked === undefined ? 'more' : unpacked.bytes.length} bytes, its header says ${sizeBytes}`, {
      path,
    });
  }
  if (unpacked.consumedBytes !== bytes.length)
    throw new ArchiveError('hidden-data', `${path}: ${bytes.length - unpacked.consumedBytes} bytes after the end of its deflate stream`, { path });
  if (crc32(unpacked.bytes) !== expected) throw new ArchiveError('crc-mismatch', `${path}: its CRC-32 is not what its header says`, { path });
  return unpacked.bytes;
}

function readTarget(content: Content, path: string, limits: ArchiveLimits): Uint8Array {
  if (content.sizeBytes > limits.maxPathBytes)
    throw new ArchiveError('path-too-long', `${path}: its link target has more than ${limits.maxPathBytes} bytes`, { path });
  return content.read();
}

function toHeader(central: Entry, local: LocalFileHeader, position: number): ZipHeader {
  return {
    rawName: central.fileNameRaw.toString('latin1'),
    position,
    createSystem: central.versionMadeBy >>> 8,
    createVersion: central.versionMadeBy & 0xff,
    extractVersion: central.versionNeededToExtract,
    flags: central.generalPurposeBitFlag,
    method: central.compressionMethod,
    dosTime: dosTime(central),
    externalAttributes: central.externalFileAttributes,
    internalAttributes: central.internalFileAttributes,
    extra: central.extraFieldRaw.toString('hex'),
    comment: central.fileCommentRaw.toString('hex'),
    localDosTime: dosTime(local),
    localExtractVersion: local.versionNeededToExtract,
    localExtra: local.extraField.toString('hex'),
  };
}

function dosTime({ lastModFileDate, lastModFileTime }: { readonly lastModFileDate: number; readonly lastModFileTime: number }): number {
  return lastModFileDate * 0x10000 + lastModFileTime;
}

/** yauzl throws plain errors, whose text is for people: the cause is kept, the code is ours. */
async function asArchiveError<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/multi-disk/.test(message)) throw new ArchiveError('unsupported', 'zip: spans several disks', { cause });
    if (/encryption/.test(message)) throw new ArchiveError('encrypted', 'zip: encrypted', { cause });
    if (/size mismatch for stored/.test(message)) throw new ArchiveError('size-mismatch', 'zip: a stored entry with two sizes', { cause });
    if (/extra bytes at the end/.test(message)) throw new ArchiveError('hidden-data', 'zip: bytes after its end record', { cause });
    if (/unexpected EOF|overflows file bounds|signature not found/.test(message))
      throw new ArchiveError('truncated', 'zip: it ends before what its directory names, or has none', { cause });
    throw new ArchiveError('malformed', 'zip: its directory cannot be read', { cause });
  }
}
