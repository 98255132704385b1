export {
  type Archive,
  type ArchiveEntry,
  type ArchiveFormat,
  duplicatePaths,
  type EntryBase,
  type EntryType,
  findEntry,
  type GzipHeader,
  isExecutable,
  type TarArchive,
  type TarEntry,
  type TarHeader,
  type ZipArchive,
  type ZipEntry,
  type ZipHeader,
} from './archive.ts';
export { type ArchiveCode, ArchiveError } from './archive-error.ts';
export { type Content, contentOf, type Packing } from './content.ts';
export { leavesRoot } from './entry-path.ts';
export { type Gunzipped, gunzip } from './gzip.ts';
export { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS } from './limits.ts';
export { openArchive } from './open-archive.ts';
export { readSafeEntries, readTar, readTarGz } from './tar.ts';
export { readZip } from './zip.ts';
