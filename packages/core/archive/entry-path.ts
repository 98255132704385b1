import type { EntryBase } from './archive.ts';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveLimits } from './limits.ts';

/** The root of the archive itself, as `tar -c .` writes it. */
const ROOT_PATH = '.';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new ArchiveError('unsafe-path', `${what}: not UTF-8`, { cause });
  }
}

/**
 * The one form of a path that everything after the reader sees: no leading `./`, no trailing `/`.
 * Untrusted input: whatever unpackers on some system could take for another place is refused.
 */
export function canonicalPath(name: string, limits: ArchiveLimits): string {
  const shown = JSON.stringify(name.slice(0, 120));
  if (Buffer.byteLength(name) > limits.maxPathBytes)
    throw new ArchiveError('path-too-long', `entry ${shown}…: its path has more than ${limits.maxPathBytes} bytes`);
  if (/\p{Cc}/u.test(name)) throw unsafe(shown, 'a control character');
  if (name.includes('\\')) throw unsafe(shown, 'a backslash');
  if (name.startsWith('/')) throw unsafe(shown, 'an absolute path');
  if (/^[A-Za-z]:/.test(name)) throw unsafe(shown, 'a drive letter');
  const path = name.replace(/^(\.\/)+/, '').replace(/\/$/, '');
  if (path === '' || path === ROOT_PATH) {
    if (name === '') throw new ArchiveError('malformed', 'archive: an entry without a name');
    return ROOT_PATH;
  }
  const segments = path.split('/');
  if (segments.length > limits.maxDepth)
    throw new ArchiveError('path-too-deep', `entry ${shown}: ${segments.length} segments, at most ${limits.maxDepth} are read`);
  for (const segment of segments) {
    if (segment === '..') throw unsafe(shown, 'a step to the folder above');
    if (segment === '' || segment === '.') throw unsafe(shown, 'an empty segment');
  }
  return path;
}

/** Refuses an entry that stands below a file or link: unpacking it would write through whatever the link points to. */
export function refuseShadowed(entries: readonly EntryBase[]): void {
  const leaves = new Set<string>();
  for (const entry of entries) if (entry.type !== 'directory') leaves.add(entry.path);
  const cleared = new Set<string>();
  for (const { path } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end);
      if (cleared.has(above)) break;
      if (leaves.has(above)) throw new ArchiveError('unsafe-path', `${path}: stands below ${above}, which is no folder`, { path });
      cleared.add(above);
    }
  }
}

/** Whether a link, followed from where it stands, leads out of the archive. */
export function leavesRoot(entry: EntryBase): boolean {
  const { target } = entry;
  if (target === undefined) return false;
  if (target.startsWith('/') || target.includes('\\') || /^[A-Za-z]:/.test(target)) return true;
  // A hard link names an entry from the root; a symbolic one is read from its own folder.
  let depth = entry.type === 'hardlink' ? 0 : entry.path.split('/').length - 1;
  for (const segment of target.split('/')) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

function unsafe(shown: string, why: string): ArchiveError {
  return new ArchiveError('unsafe-path', `entry ${shown}: its path has ${why}`);
}
