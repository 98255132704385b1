import type { Archive, ArchiveEntry } from '../archive/index.ts';

/** Both archives, at any step of the way: as read, or normalized. */
export interface ArchivePair {
  readonly upstream: Archive;
  readonly rebuild: Archive;
}

/** What both sides have at one path. */
export type PairedEntry =
  | { readonly path: string; readonly in: 'both'; readonly upstream: ArchiveEntry; readonly rebuild: ArchiveEntry }
  | { readonly path: string; readonly in: 'upstream'; readonly upstream: ArchiveEntry }
  | { readonly path: string; readonly in: 'rebuild'; readonly rebuild: ArchiveEntry };

/** Entries side by side, sorted by path. Of a path that stands twice, the last counts. */
export function pairEntries({ upstream, rebuild }: ArchivePair): readonly PairedEntry[] {
  const theirs = new Map(upstream.entries.map((entry) => [entry.path, entry]));
  const ours = new Map(rebuild.entries.map((entry) => [entry.path, entry]));
  const paths = [...new Set([...theirs.keys(), ...ours.keys()])].sort();
  return paths.flatMap((path): PairedEntry[] => {
    const [their, our] = [theirs.get(path), ours.get(path)];
    if (their !== undefined && our !== undefined) return [{ path, in: 'both', upstream: their, rebuild: our }];
    if (their !== undefined) return [{ path, in: 'upstream', upstream: their }];
    return our === undefined ? [] : [{ path, in: 'rebuild', rebuild: our }];
  });
}

/** Lets entries that are packed alike share one content, so that it is unpacked, checked and hashed once. */
export function shareContents({ upstream, rebuild }: ArchivePair): ArchivePair {
  if (upstream.format !== 'zip' || rebuild.format !== 'zip') return { upstream, rebuild };
  const theirs = new Map(upstream.entries.map((entry) => [entry.path, entry.content]));
  const entries = rebuild.entries.map((entry) => {
    const their = theirs.get(entry.path);
    const [a, b] = [their?.packing, entry.content.packing];
    if (their === undefined || a === undefined || b === undefined || their.sizeBytes !== entry.content.sizeBytes) return entry;
    const isSame = a.method === b.method && a.crc32 === b.crc32 && Buffer.compare(a.bytes, b.bytes) === 0;
    return isSame ? { ...entry, content: their } : entry;
  });
  return { upstream, rebuild: { ...rebuild, entries } };
}
