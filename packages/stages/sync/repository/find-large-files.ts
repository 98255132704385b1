import { type LocalRepository, RepositoryError } from '@granary/contract/ports';
import { type LargeFile, MAX_POINTER_BYTES, MIN_POINTER_BYTES, parsePointer } from '@granary/core/lfs';

const LIMITS = { minBytes: MIN_POINTER_BYTES, maxBytes: MAX_POINTER_BYTES, maxFiles: 1_000_000 };

/** The large files that the trees of these tips point to, each once, at most `max`. `unreadable`: there are more small files than are looked through. */
export async function findLargeFiles(
  local: Pick<LocalRepository, 'smallFiles'>,
  tips: readonly string[],
  max: number,
): Promise<readonly LargeFile[] | 'unreadable'> {
  const found = new Map<string, LargeFile>();
  try {
    await local.smallFiles(tips, LIMITS, (contents) => {
      const file = found.size < max ? parsePointer(contents) : undefined;
      if (file !== undefined) found.set(`${file.oid} ${file.sizeBytes}`, file);
    });
  } catch (error) {
    if (!(error instanceof RepositoryError) || error.code === 'unavailable') throw error;
    return 'unreadable';
  }
  return [...found.values()];
}
