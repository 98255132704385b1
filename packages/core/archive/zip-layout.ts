import { type Entry, type LocalFileHeader, parseExtraFields } from 'yauzl';
import { ArchiveError } from './archive-error.ts';

/** A central directory entry with the local header it points to, and where both lie. */
export interface PlacedEntry {
  readonly central: Entry;
  readonly local: LocalFileHeader;
  readonly start: number;
  readonly dataStart: number;
  readonly dataEnd: number;
}

const HAS_DESCRIPTOR = 0x8;
const SENTINEL = 0xffff_ffff;
const CENTRAL_HEADER_BYTES = 46;
const END_RECORD_BYTES = 22;
const ZIP64_LOCATOR_BYTES = 20;

/**
 * Every byte of the file must belong to exactly one entry, the central directory or the end record. Readers that
 * stream see local headers, others see the directory: what lies between is where they can be made to disagree.
 */
export function refuseLooseLayout(buffer: Buffer, placed: readonly PlacedEntry[], commentBytes: number): void {
  const directoryStart = refuseLooseDirectory(buffer, placed, commentBytes);
  let end = 0;
  for (const entry of [...placed].sort((a, b) => a.start - b.start)) {
    const name = shownName(entry);
    if (entry.start < end) throw new ArchiveError('overlap', `${name}: overlaps the entry before it`);
    if (entry.start > end) throw new ArchiveError('hidden-data', `zip: ${entry.start - end} bytes before ${name} belong to no entry`);
    end = entry.dataEnd + descriptorBytes(buffer, entry);
    if (end > directoryStart) throw new ArchiveError('overlap', `${name}: overlaps the central directory`);
  }
  if (end !== directoryStart) throw new ArchiveError('hidden-data', `zip: ${directoryStart - end} bytes before the central directory belong to no entry`);
}

/** Checks that directory and end records fill the file to its end; returns where the directory starts. */
function refuseLooseDirectory(buffer: Buffer, placed: readonly PlacedEntry[], commentBytes: number): number {
  const endRecord = buffer.length - END_RECORD_BYTES - commentBytes;
  const locator = endRecord - ZIP64_LOCATOR_BYTES;
  const isZip64 = locator >= 0 && buffer.readUInt32LE(locator) === 0x0706_4b50;
  // APPNOTE 4.3.14: the record's size doesn't count its first 12 bytes.
  const record = isZip64 ? Number(buffer.readBigUInt64LE(locator + 8)) : endRecord;
  if (isZip64 && record + 12 + Number(buffer.readBigUInt64LE(record + 4)) !== locator)
    throw new ArchiveError('hidden-data', 'zip: bytes between its zip64 end records');
  const start = isZip64 ? Number(buffer.readBigUInt64LE(record + 48)) : buffer.readUInt32LE(endRecord + 16);
  const statedBytes = isZip64 ? Number(buffer.readBigUInt64LE(record + 40)) : buffer.readUInt32LE(endRecord + 12);
  const bytes = placed.reduce(
    (sum, { central }) => sum + CENTRAL_HEADER_BYTES + central.fileNameLength + central.extraFieldLength + central.fileCommentLength,
    0,
  );
  if (start + bytes !== record || statedBytes !== bytes)
    throw new ArchiveError('hidden-data', 'zip: its central directory does not reach from its stated start to the end record');
  return start;
}

/** Length of the data descriptor behind an entry (APPNOTE 4.3.9): with or without a signature, sizes in 4 or 8 bytes. */
function descriptorBytes(buffer: Buffer, { central, dataEnd }: PlacedEntry): number {
  if ((central.generalPurposeBitFlag & HAS_DESCRIPTOR) === 0) return 0;
  for (const signed of [true, false]) {
    for (const wide of [false, true]) {
      const at = dataEnd + (signed ? 4 : 0);
      const end = at + (wide ? 20 : 12);
      if (end > buffer.length || (signed && buffer.readUInt32LE(dataEnd) !== 0x0807_4b50)) continue;
      const compressed = wide ? Number(buffer.readBigUInt64LE(at + 4)) : buffer.readUInt32LE(at + 4);
      const uncompressed = wide ? Number(buffer.readBigUInt64LE(at + 12)) : buffer.readUInt32LE(at + 8);
      if (buffer.readUInt32LE(at) === central.crc32 && compressed === central.compressedSize && uncompressed === central.uncompressedSize) return end - dataEnd;
    }
  }
  throw new ArchiveError('headers-disagree', `${central.fileNameRaw.toString('latin1').slice(0, 120)}: no data descriptor that says what the directory says`);
}

/** Refuses an entry whose local header says something else than the central directory about name, method, sizes or CRC. */
export function refuseDisagreement({ central, local }: PlacedEntry, path: string): void {
  const refuse = (what: string): never => {
    throw new ArchiveError(what === 'size' ? 'size-mismatch' : 'headers-disagree', `${path}: its local header and the central directory differ in ${what}`, {
      path,
    });
  };
  if (!local.fileName.equals(central.fileNameRaw)) refuse('name');
  if (local.compressionMethod !== central.compressionMethod) refuse('method');
  if (local.generalPurposeBitFlag !== central.generalPurposeBitFlag) refuse('flags');
  const streamed = (central.generalPurposeBitFlag & HAS_DESCRIPTOR) !== 0;
  const wide = wideSizes(local, path);
  const agrees = (stated: number, wideStated: number | undefined, actual: number): boolean =>
    stated === actual || (streamed && stated === 0) || (stated === SENTINEL && (wideStated === actual || (streamed && (wideStated ?? 0) === 0)));
  if (local.crc32 !== central.crc32 && !(streamed && local.crc32 === 0)) refuse('CRC');
  if (!agrees(local.uncompressedSize, wide?.uncompressed, central.uncompressedSize)) refuse('size');
  if (!agrees(local.compressedSize, wide?.compressed, central.compressedSize)) refuse('size');
}

/** Sizes in the zip64 field of a local header (APPNOTE 4.5.3): both must be there. */
function wideSizes(local: LocalFileHeader, path: string): { readonly uncompressed: number; readonly compressed: number } | undefined {
  try {
    const field = parseExtraFields(local.extraField).find(({ id }) => id === 1);
    if (field === undefined || field.data.length < 16) return undefined;
    return { uncompressed: Number(field.data.readBigUInt64LE(0)), compressed: Number(field.data.readBigUInt64LE(8)) };
  } catch (cause) {
    throw new ArchiveError('malformed', `${path}: its local extra field cannot be read`, { cause, path });
  }
}

function shownName({ central }: PlacedEntry): string {
  return JSON.stringify(central.fileNameRaw.toString('latin1').slice(0, 120));
}
