import { type Archive, ArchiveError, type ArchiveFormat, type ArchiveLimits, openArchive } from '../archive/index.ts';
import { CompareError } from './compare-error.ts';

export type SideName = 'upstream' | 'rebuild';

/** Opens one side and reads it through. Throws CompareError. */
export async function openThrough(
  side: SideName,
  bytes: Uint8Array,
  given: { readonly format: ArchiveFormat; readonly limits: ArchiveLimits },
): Promise<Archive> {
  const archive = await openSide(side, bytes, given);
  await readThrough(side, archive);
  return archive;
}

export async function openSide(
  side: SideName,
  bytes: Uint8Array,
  { format, limits }: { readonly format: ArchiveFormat; readonly limits: ArchiveLimits },
): Promise<Archive> {
  try {
    return await openArchive(bytes, format, limits);
  } catch (cause) {
    throw unreadable(side, cause);
  }
}

/** Work after which other tasks of the process get their turn. */
const BYTES_PER_TURN = 16 * 1024 * 1024;

/** Unpacks, checks and hashes every entry once: from here on, reading throws no more. */
export async function readThrough(side: SideName, { entries }: Archive): Promise<void> {
  let sinceTurn = 0;
  for (const { content } of entries) {
    try {
      content.sha256();
    } catch (cause) {
      throw unreadable(side, cause);
    }
    sinceTurn += content.sizeBytes;
    if (sinceTurn < BYTES_PER_TURN) continue;
    sinceTurn = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function unreadable(side: SideName, cause: unknown): unknown {
  if (!(cause instanceof ArchiveError)) return cause;
  return new CompareError(`${side}-unreadable`, `compare: the ${side === 'upstream' ? 'published' : 'rebuilt'} archive cannot be read: ${cause.message}`, {
    cause,
  });
}
