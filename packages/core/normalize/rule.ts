import type { Archive, TarArchive, TarEntry, ZipArchive, ZipEntry } from '../archive/index.ts';
import type { Normalizer, NormalizerRef } from './normalizer.ts';

/** Members of a {@link Normalizer} that look at nothing. */
const OBSERVES_NOTHING = { inspect: () => [] };

/** A rule that changes zip entries one by one; `change` returns the same object when there is nothing to change. */
export function zipEntryRule(ref: NormalizerRef, change: (entry: ZipEntry) => ZipEntry): Normalizer {
  return zipRule(ref, (archive) => withChanged(archive, change));
}

export function zipRule(ref: NormalizerRef, change: (archive: ZipArchive) => ZipArchive): Normalizer {
  return { ref, ...OBSERVES_NOTHING, appliesTo: ({ format }) => format === 'zip', apply: (archive) => (archive.format === 'zip' ? change(archive) : archive) };
}

export function tarEntryRule(ref: NormalizerRef, change: (entry: TarEntry) => TarEntry): Normalizer {
  return tarRule(ref, (archive) => {
    const entries = mapChanged(archive.entries, change);
    return entries === archive.entries ? archive : { ...archive, entries };
  });
}

export function tarRule(ref: NormalizerRef, change: (archive: TarArchive) => TarArchive): Normalizer {
  return { ref, ...OBSERVES_NOTHING, appliesTo: ({ format }) => format === 'tar', apply: (archive) => (archive.format === 'tar' ? change(archive) : archive) };
}

/** Changes the contents of entries of any container. */
export function withContents<A extends Archive>(archive: A, change: (entry: A['entries'][number]) => A['entries'][number]): A {
  const entries = mapChanged(archive.entries, change);
  return entries === archive.entries ? archive : { ...archive, entries };
}

function withChanged(archive: ZipArchive, change: (entry: ZipEntry) => ZipEntry): ZipArchive {
  const entries = mapChanged(archive.entries, change);
  return entries === archive.entries ? archive : { ...archive, entries };
}

/** The same array when no member changed. */
export function mapChanged<T>(values: readonly T[], change: (value: T) => T): readonly T[] {
  const changed = values.map(change);
  return changed.every((value, index) => value === values[index]) ? values : changed;
}

/** A header with some fields replaced; the same entry when they already hold those values. Asked of every entry by every rule: it must cost nothing when nothing changes. */
export function withHeader<E extends ZipEntry | TarEntry>(entry: E, fields: Partial<E['header']>): E {
  for (const name of Object.keys(fields)) {
    if (Reflect.get(entry.header, name) !== Reflect.get(fields, name)) return { ...entry, header: { ...entry.header, ...fields } };
  }
  return entry;
}
