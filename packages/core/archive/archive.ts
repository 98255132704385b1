import type { Content } from './content.ts';

export type ArchiveFormat = 'zip' | 'tar' | 'tar.gz';
export type EntryType = 'file' | 'directory' | 'link' | 'hardlink' | 'device' | 'fifo';

/** What every container says of an entry. Paths are canonical: relative, `/` between segments, no `.`, `..`, trailing or doubled slash. */
export interface EntryBase {
  readonly path: string;
  readonly type: EntryType;
  /** The twelve permission bits; 0 where the container states none. */
  readonly mode: number;
  /** Of links and hard links, as written. */
  readonly target?: string;
  readonly content: Content;
}

/** Header fields of a zip entry that are neither path nor content (APPNOTE 4.3). Bytes as lower-case hexadecimal. */
export interface ZipHeader {
  /** One character per byte. */
  readonly rawName: string;
  /** Rank by place of the data in the file; the order of the entries is that of the central directory. */
  readonly position: number;
  /** APPNOTE 4.4.2: 0 is MS-DOS or Windows, 3 is Unix. */
  readonly createSystem: number;
  readonly createVersion: number;
  readonly extractVersion: number;
  readonly flags: number;
  readonly method: number;
  /** MS-DOS date in the upper, time in the lower 16 bits. */
  readonly dosTime: number;
  readonly externalAttributes: number;
  readonly internalAttributes: number;
  readonly extra: string;
  readonly comment: string;
  readonly localDosTime: number;
  readonly localExtractVersion: number;
  readonly localExtra: string;
}
export interface ZipEntry extends EntryBase {
  readonly header: ZipHeader;
}

/** Header fields of a tar entry that are neither path, link target nor content. */
export interface TarHeader {
  readonly rawName: string;
  readonly format: 'v7' | 'ustar' | 'gnu';
  readonly typeflag: string;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** Whole seconds; a finer time is in {@link pax}. */
  readonly mtime: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Records of extended headers, global ones before the entry's own, in their order. */
  readonly pax: readonly (readonly [key: string, value: string])[];
}
export interface TarEntry extends EntryBase {
  readonly header: TarHeader;
}

/** RFC 1952 2.3.1, of one member. */
export interface GzipHeader {
  readonly mtime: number;
  readonly extraFlags: number;
  readonly operatingSystem: number;
  readonly textFlag: boolean;
  readonly name?: string;
  readonly comment?: string;
  readonly extra?: string;
}

export interface ZipArchive {
  readonly format: 'zip';
  readonly entries: readonly ZipEntry[];
  readonly comment: string;
}
export interface TarArchive {
  readonly format: 'tar';
  readonly entries: readonly TarEntry[];
  /** Members of the gzip file that it came in; empty for a bare tar. */
  readonly gzip: readonly GzipHeader[];
  /** The tar itself, decompressed. */
  readonly tarBytes: Uint8Array;
}
/** A parsed archive. Entries keep the container's order and may name a path twice; {@link duplicatePaths} tells. */
export type Archive = ZipArchive | TarArchive;
export type ArchiveEntry = ZipEntry | TarEntry;

/** The last entry of that path, the one that unpacking would leave; undefined when there is none. */
export function findEntry(archive: Archive, path: string): ArchiveEntry | undefined {
  return archive.entries.findLast((entry) => entry.path === path);
}

export function isExecutable(entry: EntryBase): boolean {
  return entry.type === 'file' && (entry.mode & 0o111) !== 0;
}

/** Paths that more than one entry claims, sorted. */
export function duplicatePaths(archive: Archive): readonly string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { path } of archive.entries) (seen.has(path) ? twice : seen).add(path);
  return [...twice].sort();
}
