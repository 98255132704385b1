import { ArchiveError } from './archive-error.ts';

/** What an archive may cost. Crossing one throws ArchiveError before the memory is taken. */
export interface ArchiveLimits {
  /** Of the archive as it lies there, compressed. */
  readonly maxArchiveBytes: number;
  readonly maxEntries: number;
  /** Of all entries together, and of a decompressed tar. */
  readonly maxTotalBytes: number;
  readonly maxEntryBytes: number;
  /** Decompressed to compressed bytes of the whole archive; asked only above {@link ratioFloorBytes}. */
  readonly maxRatio: number;
  /** Decompressed bytes up to which any ratio passes: a small file of zeros is no bomb. */
  readonly ratioFloorBytes: number;
  /** Segments of a path. */
  readonly maxDepth: number;
  readonly maxPathBytes: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_ARCHIVE_LIMITS: ArchiveLimits = {
  maxArchiveBytes: 256 * MIB,
  maxEntries: 100_000,
  maxTotalBytes: 1024 * MIB,
  maxEntryBytes: 512 * MIB,
  maxRatio: 200,
  ratioFloorBytes: 32 * MIB,
  maxDepth: 64,
  maxPathBytes: 1024,
};

/** Most decompressed bytes that an archive of this size may yield. */
export function decompressedAllowance(compressedBytes: number, limits: ArchiveLimits): number {
  return Math.min(limits.maxTotalBytes, Math.max(limits.ratioFloorBytes, compressedBytes * limits.maxRatio));
}

/** Refuses a total that passes what {@link decompressedAllowance} allows, naming the limit that was crossed. */
export function refuseExcess(totalBytes: number, compressedBytes: number, limits: ArchiveLimits): void {
  if (totalBytes > limits.maxTotalBytes) {
    throw new ArchiveError('total-too-large', `archive: ${totalBytes} bytes decompressed, at most ${limits.maxTotalBytes} are read`);
  }
  if (totalBytes > decompressedAllowance(compressedBytes, limits)) {
    throw new ArchiveError('ratio-too-high', `archive: ${compressedBytes} bytes become ${totalBytes}, at most a ratio of ${limits.maxRatio} is read`);
  }
}

export function refuseLargeArchive(bytes: Uint8Array, limits: ArchiveLimits): void {
  if (bytes.length > limits.maxArchiveBytes) {
    throw new ArchiveError('archive-too-large', `archive: ${bytes.length} bytes, at most ${limits.maxArchiveBytes} are read`);
  }
}

export function refuseManyEntries(count: number, limits: ArchiveLimits): void {
  if (count > limits.maxEntries) throw new ArchiveError('too-many-entries', `archive: ${count} entries, at most ${limits.maxEntries} are read`);
}

export function refuseLargeEntry(path: string, sizeBytes: number, limits: ArchiveLimits): void {
  if (sizeBytes > limits.maxEntryBytes) {
    throw new ArchiveError('entry-too-large', `${path}: ${sizeBytes} bytes, at most ${limits.maxEntryBytes} are read`, { path });
  }
}
