/** Of a path in a tree. No Linux could check out more (PATH_MAX). */
export const MAX_PATH_BYTES = 4096;

/** Can this stand in a tree that was taken in? git is asked about nothing else: it would refuse the whole command, or look elsewhere. `''` is the root. */
export function isTreePath(path: string): boolean {
  if (path === '') return true;
  if (!path.isWellFormed() || path.includes('\0') || Buffer.byteLength(path) > MAX_PATH_BYTES) return false;
  return path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}
