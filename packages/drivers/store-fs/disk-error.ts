import { StoreError } from '@granary/contract/ports';

/** Runs one step on the disk; what node:fs throws becomes a StoreError that says what was done to what, and what to do. */
export async function onDisk<T>(what: string, folder: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw toStoreError(what, folder, error);
  }
}

/** The errno name of a node:fs error, `ENOENT`; undefined on anything else. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function toStoreError(what: string, folder: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const options = { cause: error };
  switch (errnoOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreError(
        'disk-full',
        `${what}: the disk of ${folder} is full; nothing stored is harmed: free some space (or inodes, or quota) and run again`,
        options,
      );
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new StoreError('read-only', `${what}: ${folder} cannot be written: mount it writable, or give this user the right to write there`, options);
    case 'EXDEV':
      return new StoreError('unreachable', `${what}: ${folder} spans several file systems: it must lie on one, or a file could not appear whole`, options);
    default:
      return new StoreError('unreachable', `${what}: ${error instanceof Error ? error.message : String(error)}`, options);
  }
}
