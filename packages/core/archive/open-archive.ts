import type { Archive, ArchiveFormat } from './archive.ts';
import { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS } from './limits.ts';
import { readTar, readTarGz } from './tar.ts';
import { readZip } from './zip.ts';

/** Reads an archive of a known format. Throws ArchiveError; contents are unpacked and checked only when they are read. */
export async function openArchive(bytes: Uint8Array, format: ArchiveFormat, limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS): Promise<Archive> {
  switch (format) {
    case 'zip':
      return readZip(bytes, limits);
    case 'tar':
      return readTar(bytes, limits);
    case 'tar.gz':
      return readTarGz(bytes, limits);
  }
}
