import { type LocalRepository, RepositoryError } from '@granary/contract/ports';
import { type LargeFile, MAX_POINTER_BYTES, MIN_POINTER_BYTES, parsePointer } from '@granary/core/lfs';

const LIMITS = { minBytes: MIN_POINTER_BYTES, maxBytes: MAX_POINTER_BYTES, maxFiles: 1_000_000 };
/** Read at a time: 20 MB in memory. */
const BLOBS_AT_ONCE = 20_000;

/** The large files that the trees of these tips point to, each once. `unreadable`: there are more small files than are looked through. */
export async function findLargeFiles(
  local: Pick<LocalRepository, 'smallFiles' | 'blobs'>,
  tips: readonly string[],
): Promise<readonly LargeFile[] | 'unreadable'> {
  const found = new Map<string, LargeFile>();
  try {
    const objectIds = await local.smallFiles(tips, LIMITS);
    for (let at = 0; at < objectIds.length; at += BLOBS_AT_ONCE) {
      for (const blob of (await local.blobs(objectIds.slice(at, at + BLOBS_AT_ONCE), { maxBytes: MAX_POINTER_BYTES })).values()) {
        const file = parsePointer(blob);
        if (file !== undefined) found.set(`${file.oid} ${file.sizeBytes}`, file);
      }
    }
  } catch (error) {
    if (!(error instanceof RepositoryError) || error.code === 'unavailable') throw error;
    return 'unreadable';
  }
  return [...found.values()];
}
