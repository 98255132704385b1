import type { EntryType, GzipHeader, TarArchive, TarEntry } from './archive.ts';
import { type ArchiveCode, ArchiveError } from './archive-error.ts';
import { contentOf, EMPTY_CONTENT } from './content.ts';
import { canonicalPath, decodeUtf8, refuseShadowed } from './entry-path.ts';
import { gunzip } from './gzip.ts';
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS, refuseExcess, refuseLargeArchive, refuseLargeEntry, refuseManyEntries } from './limits.ts';
import { paxNumber, paxValue } from './pax.ts';
import { type TarMember, tarMembers } from './tar-members.ts';

/** Reads a bare tar. Contents are views into `bytes`. Throws ArchiveError. */
export function readTar(bytes: Uint8Array, limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS): TarArchive {
  refuseLarge(bytes, limits);
  return parseTar(bytes, { gzip: [], limits, unsafePaths: 'refuse' });
}

/**
 * Reads a tar of which nothing is ever unpacked, such as that of a commit: entries whose paths are no UTF-8, lead elsewhere, or are longer or deeper than the limits are left
 * out, where {@link readTar} refuses the whole. Throws ArchiveError for all else.
 */
export function readSafeEntries(bytes: Uint8Array, limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS): TarArchive {
  refuseLarge(bytes, limits);
  return parseTar(bytes, { gzip: [], limits, unsafePaths: 'leave-out' });
}

/** Reads a gzipped tar; it is held decompressed, within the limits, because a gzip stream can only be read from its start. Throws ArchiveError. */
export function readTarGz(bytes: Uint8Array, limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS): TarArchive {
  const { bytes: tarBytes, headers } = gunzip(bytes, limits);
  return parseTar(tarBytes, { gzip: headers, limits, unsafePaths: 'refuse' });
}

function refuseLarge(bytes: Uint8Array, limits: ArchiveLimits): void {
  refuseLargeArchive(bytes, limits);
  refuseExcess(bytes.length, bytes.length, limits);
}

interface Reading {
  readonly gzip: readonly GzipHeader[];
  readonly limits: ArchiveLimits;
  readonly unsafePaths: 'refuse' | 'leave-out';
}

function parseTar(tarBytes: Uint8Array, { gzip, limits, unsafePaths }: Reading): TarArchive {
  const entries: TarEntry[] = [];
  let seen = 0;
  for (const member of tarMembers(Buffer.from(tarBytes.buffer, tarBytes.byteOffset, tarBytes.byteLength), limits)) {
    seen += 1;
    refuseManyEntries(seen, limits);
    const entry = unsafePaths === 'refuse' ? toTarEntry(member, limits) : ifSafe(() => toTarEntry(member, limits));
    if (entry !== undefined) entries.push(entry);
  }
  refuseShadowed(entries);
  return { format: 'tar', entries, gzip, tarBytes };
}

const UNSAFE: ReadonlySet<ArchiveCode> = new Set(['unsafe-path', 'path-too-long', 'path-too-deep']);

function ifSafe(read: () => TarEntry): TarEntry | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ArchiveError && UNSAFE.has(error.code)) return undefined;
    throw error;
  }
}

function toTarEntry(member: TarMember, limits: ArchiveLimits): TarEntry {
  const { header, pax, data } = member;
  const name = nameOf(member);
  const path = canonicalPath(name, limits);
  const type = typeOf(header.typeflag, name, path);
  refuseLargeEntry(path, data.length, limits);
  if (type !== 'file' && data.length > 0) throw new ArchiveError('malformed', `${path}: a ${type} with ${data.length} bytes of content`, { path });
  const base = {
    path,
    type,
    mode: header.mode & 0o7777,
    content: type === 'file' ? contentOf(data) : EMPTY_CONTENT,
    header: {
      rawName: name,
      format: header.format,
      typeflag: header.typeflag,
      uid: paxNumber(pax, 'uid') ?? header.uid,
      gid: paxNumber(pax, 'gid') ?? header.gid,
      uname: paxValue(pax, 'uname') ?? header.uname.toString('latin1'),
      gname: paxValue(pax, 'gname') ?? header.gname.toString('latin1'),
      mtime: header.mtime,
      deviceMajor: header.deviceMajor,
      deviceMinor: header.deviceMinor,
      pax,
    },
  };
  return type === 'link' || type === 'hardlink' ? { ...base, target: targetOf(member, path, limits) } : base;
}

function nameOf({ header, pax, longName }: TarMember): string {
  return longText('name', { written: header.name, long: longName, pax: paxValue(pax, 'path') });
}

function targetOf({ header, pax, longLinkName }: TarMember, path: string, limits: ArchiveLimits): string {
  const target = longText('link target', { written: header.linkName, long: longLinkName, pax: paxValue(pax, 'linkpath') });
  if (Buffer.byteLength(target) > limits.maxPathBytes)
    throw new ArchiveError('path-too-long', `${path}: its link target has more than ${limits.maxPathBytes} bytes`, { path });
  if (target === '' || target.includes('\u0000')) throw new ArchiveError('malformed', `${path}: a link to nothing`, { path });
  return target;
}

/** Which extension wins when both are there depends on the reader. */
function longText(what: string, texts: { readonly written: Buffer; readonly long: Buffer | undefined; readonly pax: string | undefined }): string {
  const long = texts.long === undefined ? undefined : decodeUtf8(texts.long, `tar: a long ${what}`);
  if (long !== undefined && texts.pax !== undefined && long !== texts.pax)
    throw new ArchiveError('headers-disagree', `tar: an entry with one ${what} in GNU's form and another in pax`);
  return texts.pax ?? long ?? decodeUtf8(texts.written, `tar: a ${what}`);
}

function typeOf(typeflag: string, name: string, path: string): EntryType {
  switch (typeflag) {
    // Before POSIX, a folder was a file whose name ends in a slash.
    case '0':
      return name.endsWith('/') ? 'directory' : 'file';
    // Contiguous files: no system of today tells them apart.
    case '7':
      return 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'link';
    case '3':
    case '4':
      return 'device';
    case '5':
      return 'directory';
    case '6':
      return 'fifo';
    case 'S':
      throw new ArchiveError('sparse', `${path}: a sparse entry`, { path });
    default:
      throw new ArchiveError('unsupported', `${path}: entry type ${JSON.stringify(typeflag)}`, { path });
  }
}
