import type { Archive } from '../archive/index.ts';

/** Leaves out entries for folders below which other entries stand: unpacking those makes the folder anyway. */
export function withoutImpliedDirectories<A extends Archive>(archive: A): A {
  const implied = new Set<string>(['.']);
  for (const { path } of archive.entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end);
      if (implied.has(above)) break;
      implied.add(above);
    }
  }
  const isImplied = (entry: A['entries'][number]): boolean => entry.type === 'directory' && implied.has(entry.path) && (entry.mode & 0o7000) === 0;
  return archive.entries.some(isImplied) ? { ...archive, entries: archive.entries.filter((entry) => !isImplied(entry)) } : archive;
}
